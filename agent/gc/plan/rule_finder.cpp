#include "agent/gc/plan/rule_finder.h"

#include <algorithm>

namespace imagesweep {
namespace {

bool MatchesTag(const std::vector<std::string>& globs, std::string_view tag) {
  return std::ranges::any_of(globs,
                             [&](const std::string& glob) { return GlobMatches(glob, tag); });
}

template <typename Visit>
void EachSegment(std::string_view path, const Visit& visit) {
  while (true) {
    const auto slash = path.find('/');
    visit(path.substr(0, slash));
    if (slash == std::string_view::npos) return;
    path.remove_prefix(slash + 1);
  }
}

using Uses = std::unordered_map<std::string_view, int>;

// The segment without a wildcard that the fewest patterns have.  Empty: there is none, or the rule
// keeps, because such a rule selects more names than its patterns say.
std::string_view RarestSegment(const Rule& rule, const ImageGlob& glob, const Uses& uses) {
  if (rule.action == RuleAction::kKeep) return {};
  std::string_view rarest;
  EachSegment(glob.repository(), [&](std::string_view segment) {
    if (segment.empty() || segment.find_first_of("*?") != std::string_view::npos) return;
    if (rarest.empty() || uses.at(segment) < uses.at(rarest)) rarest = segment;
  });
  return rarest;
}

}  // namespace

bool Selects(const Rule& rule, const Image& image, const ImageName* name) {
  const Selector& selector = rule.selector;
  const std::string_view tag = name == nullptr ? std::string_view() : name->tag();
  if (selector.tag_status == TagStatus::kTagged && tag.empty()) return false;
  if (selector.tag_status == TagStatus::kUntagged && !tag.empty()) return false;
  if (!selector.tags.empty() && (tag.empty() || !MatchesTag(selector.tags, tag))) return false;
  if (selector.images.empty()) return true;
  return std::ranges::any_of(selector.images, [&](const ImageGlob& glob) {
    if (rule.action == RuleAction::kKeep)
      return glob.KeepsById(image) || (name != nullptr && glob.Keeps(*name));
    return glob.is_id() ? glob.Matches(image) : name != nullptr && glob.Matches(*name);
  });
}

RuleFinder::RuleFinder(const std::vector<Rule>& rules) : rules_(rules) {
  Uses uses;
  for (const Rule& rule : rules)
    for (const ImageGlob& glob : rule.selector.images)
      EachSegment(glob.repository(), [&](std::string_view segment) { ++uses[segment]; });
  for (std::uint32_t at = 0; at < rules.size(); ++at) {
    const auto& globs = rules[at].selector.images;
    std::vector<std::string_view> segments;
    segments.reserve(globs.size());
    for (const ImageGlob& glob : globs) segments.push_back(RarestSegment(rules[at], glob, uses));
    const bool everywhere = std::ranges::any_of(segments, &std::string_view::empty);
    if (globs.empty() || everywhere) {
      always_.push_back(at);
      continue;
    }
    for (const std::string_view segment : segments) by_segment_[segment].push_back(at);
  }
  candidates_ = always_;
}

const RuleFinder::Positions& RuleFinder::CandidatesFor(std::string_view repository) {
  if (repository == repository_) return candidates_;
  repository_ = repository;
  candidates_ = always_;
  EachSegment(repository, [&](std::string_view segment) {
    const auto found = by_segment_.find(segment);
    if (found == by_segment_.end()) return;
    candidates_.insert(candidates_.end(), found->second.begin(), found->second.end());
  });
  std::ranges::sort(candidates_);
  return candidates_;
}

const Rule* RuleFinder::Find(const Image& image, const ImageName* name) {
  if (rules_.empty()) return nullptr;
  const auto repository = name == nullptr ? std::string_view() : name->repository();
  for (const std::uint32_t at : CandidatesFor(repository)) {
    const Rule& rule = rules_[at];
    if (Selects(rule, image, name)) return &rule;
  }
  return nullptr;
}

}  // namespace imagesweep
