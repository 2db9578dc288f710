#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/report/render/page.h"

namespace imagesweep {

// Two documents of the same kind side by side.
struct Comparison {
  enum class Unit { kCount, kBytes, kRatio, kPercent };
  struct Measure {
    std::string name;
    Unit unit = Unit::kCount;
    std::optional<double> before, after;  // empty: not in that document
  };
  struct Side {
    std::string file;
    std::string node;         // empty: not in the document
    std::string observed_at;  // empty: not in the document
  };
  std::string kind;  // "LayerAnalysis"
  Side before, after;
  std::vector<Measure> measures;
};

// The content of a file.
struct NamedDocument {
  std::string file;
  std::string text;
};

// Compares documents of kind SweepReport, LayerAnalysis, or DiskUse, as -o json writes them.
// kInvalid, with the name of the file: not JSON, of another kind, or of different kinds.
Result<Comparison> CompareDocuments(const NamedDocument& before, const NamedDocument& after);

Page MakeComparisonPage(const Comparison& comparison);
std::string ComparisonJson(const Comparison& comparison);  // kind Comparison

}  // namespace imagesweep
