#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/model/policy.h"

namespace imagesweep {

// Does the rule's selector mean this name of the image (null: it has none)?  The patterns of a rule
// that keeps mean whatever a runtime may mean by them, all others what they say and no more.
bool Selects(const Rule& rule, const Image& image, const ImageName* name);

// The first of many rules that selects a name, without trying them all: a pattern with a whole path
// segment in it that is no wildcard ("shop" in */shop/*) is only tried on names that have this
// segment.  Refers to the rules, which must outlive it.  One thread: it remembers the last
// repository.
class RuleFinder {
 public:
  explicit RuleFinder(const std::vector<Rule>& rules);

  // `name` is one of the image's, or null when it has none.  Null: no rule selects it.
  const Rule* Find(const Image& image, const ImageName* name);

 private:
  using Positions = std::vector<std::uint32_t>;

  const Positions& CandidatesFor(std::string_view repository);

  const std::vector<Rule>& rules_;
  std::unordered_map<std::string_view, Positions> by_segment_;
  Positions always_;  // with a pattern that has no such segment
  std::string_view repository_;
  Positions candidates_;  // for repository_, in the rules' order
};

}  // namespace imagesweep
