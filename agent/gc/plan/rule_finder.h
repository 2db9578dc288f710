#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/model/policy.h"

namespace imagesweep {

// True if the rule selects this name of the image (null: it has none).  The patterns of a rule that
// keeps match every name that a runtime may understand by them.  All others match literally.
bool Selects(const Rule& rule, const Image& image, const ImageName* name);

// Finds the first of many rules that selects a name without a test of all of them: a pattern with a
// path segment without a wildcard ("shop" in */shop/*) is only tested on names with this segment.
// Refers to the rules, which must outlive it.  For one thread, because it caches the last
// repository.
class RuleFinder {
 public:
  explicit RuleFinder(const std::vector<Rule>& rules);

  // `name` is one of the image's names, or null if it has none.  Returns null if no rule selects
  // it.
  const Rule* Find(const Image& image, const ImageName* name);

 private:
  using Positions = std::vector<std::uint32_t>;

  const Positions& CandidatesFor(std::string_view repository);

  const std::vector<Rule>& rules_;
  std::unordered_map<std::string_view, Positions> by_segment_;
  Positions always_;  // with a pattern that has no such segment
  std::string_view repository_;
  Positions candidates_;  // for repository_, in the order of the rules
};

}  // namespace imagesweep
