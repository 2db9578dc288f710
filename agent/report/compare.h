#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/report/page.h"

namespace imagesweep {

// Two documents of one kind side by side: what was measured before, and after.
struct Comparison {
  enum class Unit { kCount, kBytes, kRatio, kPercent };
  struct Measure {
    std::string name;
    Unit unit = Unit::kCount;
    std::optional<double> before, after;  // empty: that document does not say
  };
  struct Side {
    std::string file;
    std::string node;         // empty: the document does not say
    std::string observed_at;  // the same
  };
  std::string kind;  // "LayerAnalysis"
  Side before, after;
  std::vector<Measure> measures;
};

// A document as a file holds it.
struct NamedDocument {
  std::string file;
  std::string text;
};

// SweepReport, LayerAnalysis and DiskUse, as -o json writes them.  kInvalid, with the file's name,
// for what is no JSON, of another kind, or of another kind than the other one.
Result<Comparison> CompareDocuments(const NamedDocument& before, const NamedDocument& after);

Page MakeComparisonPage(const Comparison& comparison);
std::string ComparisonJson(const Comparison& comparison);  // kind Comparison

}  // namespace imagesweep
