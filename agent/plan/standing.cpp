#include "agent/plan/standing.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "agent/plan/version.h"

namespace imagesweep {
namespace {

// One tagged name among others of its repository.
struct Candidate {
  std::uint32_t image;
  std::size_t standing;  // position in the list of all names
  const ImageName* name;
  bool in_use;
  std::optional<TagVersion> version;
  SystemTime first_seen;
  std::string_view id;
};

// Versions are compared only where the repository's tags tell one kind of them.
bool OneKind(const std::vector<Candidate>& group) {
  const TagVersion* first = nullptr;
  for (const Candidate& candidate : group) {
    if (!candidate.version) continue;
    if (first != nullptr && first->prefix != candidate.version->prefix) return false;
    first = &*candidate.version;
  }
  return first != nullptr;
}

void SortNewestFirst(std::vector<Candidate>& group) {
  const bool by_version = OneKind(group);
  std::ranges::sort(group, [&](const Candidate& a, const Candidate& b) {
    if (a.in_use != b.in_use) return a.in_use;
    if (by_version) {
      if (a.version.has_value() != b.version.has_value()) return a.version.has_value();
      if (a.version && *a.version != *b.version) return *a.version > *b.version;
    }
    if (a.first_seen != b.first_seen) return a.first_seen > b.first_seen;
    return std::tuple(std::string_view(a.name->text()), a.id) >
           std::tuple(std::string_view(b.name->text()), b.id);
  });
}

// An image with several tags takes one place, the best of them.
void TakePlaces(std::vector<Candidate>& group, std::vector<NameStanding>& names,
                bool repository_in_use) {
  SortNewestFirst(group);
  std::map<std::uint32_t, int> place_of;
  for (const Candidate& candidate : group)
    place_of.try_emplace(candidate.image, static_cast<int>(place_of.size()) + 1);
  for (const Candidate& candidate : group) {
    NameStanding& standing = names[candidate.standing];
    standing.place = place_of[candidate.image];
    standing.newest = group.front().name;
    standing.repository_in_use = repository_in_use;
  }
}

bool MatchesTag(const std::vector<std::string>& globs, std::string_view tag) {
  return std::ranges::any_of(globs,
                             [&](const std::string& glob) { return GlobMatches(glob, tag); });
}

}  // namespace

bool Selects(const Selector& selector, const ImageName* name) {
  const std::string_view tag = name == nullptr ? std::string_view() : name->tag();
  if (selector.tag_status == TagStatus::kTagged && tag.empty()) return false;
  if (selector.tag_status == TagStatus::kUntagged && !tag.empty()) return false;
  if (!selector.tags.empty() && (tag.empty() || !MatchesTag(selector.tags, tag))) return false;
  if (selector.images.empty()) return true;
  return name != nullptr && std::ranges::any_of(selector.images, [&](const ImageGlob& glob) {
           return glob.Matches(*name);
         });
}

Standings::Standings(const Policy& policy, const Observation& seen,
                     const std::vector<bool>& in_use) {
  const auto add = [&](const ImageName* name, bool tagged) {
    NameStanding standing;
    standing.name = name;
    standing.tagged = tagged;
    const auto rule = std::ranges::find_if(
        policy.rules, [&](const Rule& r) { return Selects(r.selector, name); });
    if (rule != policy.rules.end()) standing.rule = &*rule;
    standing.kept = standing.rule != nullptr && standing.rule->keep_last
                        ? *standing.rule->keep_last
                        : policy.keep.last_per_repository;
    names_.push_back(standing);
  };
  // A rule with keepLast counts among what it selects; everybody else among the whole repository.
  using Group = std::pair<std::string_view, const Rule*>;
  std::map<Group, std::vector<Candidate>> groups;
  std::map<std::string_view, bool> used_repositories;
  for (std::uint32_t at = 0; at < seen.images.size(); ++at) {
    begin_.push_back(static_cast<std::uint32_t>(names_.size()));
    const Image& image = seen.images[at];
    for (const ImageName& tag : image.tags) {
      add(&tag, true);
      const Rule* rule = names_.back().rule;
      Candidate candidate{at,
                          names_.size() - 1,
                          &tag,
                          in_use[at],
                          ReadVersion(tag.tag()),
                          seen.ages[at].first_seen,
                          image.id.text()};
      if (in_use[at]) used_repositories[tag.repository()] = true;
      if (rule != nullptr && rule->keep_last) groups[{tag.repository(), rule}].push_back(candidate);
      groups[{tag.repository(), nullptr}].push_back(std::move(candidate));
    }
    if (!image.tags.empty()) continue;
    for (const ImageName& digest : image.digests) {
      add(&digest, false);
      if (in_use[at]) used_repositories[digest.repository()] = true;
    }
    if (image.digests.empty()) add(nullptr, false);
  }
  begin_.push_back(static_cast<std::uint32_t>(names_.size()));
  // The whole repository first (a null rule sorts first), so that a rule's own count has the last
  // word.
  for (auto& [group, candidates] : groups)
    TakePlaces(candidates, names_, used_repositories.contains(group.first));
}

}  // namespace imagesweep
