#include "agent/plan/standing.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "agent/plan/rule_finder.h"
#include "agent/plan/version.h"

namespace imagesweep {
namespace {

// One tagged name among others of its repository.
struct Candidate {
  std::uint32_t image;
  std::uint32_t standing;  // position in the list of all names
  bool in_use;
  SystemTime first_seen;
  std::string_view id;
  const ImageName* name;
  std::optional<TagVersion> version;
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
  if (group.size() < 2) return;
  for (Candidate& candidate : group) candidate.version = ReadVersion(candidate.name->tag());
  const bool by_version = OneKind(group);
  std::ranges::sort(group, [&](const Candidate& a, const Candidate& b) {
    if (a.in_use != b.in_use) return a.in_use;
    if (by_version) {
      if (a.version.has_value() != b.version.has_value()) return a.version.has_value();
      if (a.version)
        if (const auto order = *a.version <=> *b.version; order != 0) return order > 0;
    }
    if (a.first_seen != b.first_seen) return a.first_seen > b.first_seen;
    return std::tuple(std::string_view(a.name->text()), a.id) >
           std::tuple(std::string_view(b.name->text()), b.id);
  });
}

// An image with several tags takes one place, the best of them.  `place_of` is of every image, and
// zero before and after.
void TakePlaces(std::vector<Candidate>& group, std::vector<int>& place_of,
                std::vector<NameStanding>& names) {
  SortNewestFirst(group);
  int places = 0;
  for (const Candidate& candidate : group) {
    int& place = place_of[candidate.image];
    if (place == 0) place = ++places;
    NameStanding& standing = names[candidate.standing];
    standing.newest = group.front().name;
    standing.place = place;
  }
  for (const Candidate& candidate : group) place_of[candidate.image] = 0;
}

const Rule* RuleWithNumber(const NameStanding& standing) {
  return standing.rule != nullptr && standing.rule->keep_last ? standing.rule : nullptr;
}

}  // namespace

Standings::Standings(const Policy& policy, const Observation& seen,
                     const std::vector<bool>& in_use) {
  AddNames(policy, seen);
  // Groups of one repository's tagged names, each a chain through `next`: no list of its own for
  // each.
  constexpr std::uint32_t kEnd = 0xFFFFFFFF;
  struct Repository {
    std::uint32_t last_name = kEnd;
    bool in_use = false;
  };
  std::unordered_map<std::string_view, Repository> repositories;
  repositories.reserve(names_.size());
  decltype(repositories)::value_type* last = nullptr;
  std::vector<std::uint32_t> next(names_.size(), kEnd);
  std::vector<std::uint32_t> image_of(names_.size());
  for (std::uint32_t at = 0; at < seen.images.size(); ++at) {
    for (std::uint32_t i = begin_[at]; i < begin_[at + 1]; ++i) {
      image_of[i] = at;
      const NameStanding& standing = names_[i];
      if (standing.name == nullptr) continue;
      // Names of one image mostly are of one repository.
      if (last == nullptr || standing.name->repository() != last->first)
        last = &*repositories.try_emplace(standing.name->repository()).first;
      Repository& repository = last->second;
      repository.in_use = repository.in_use || in_use[at];
      if (!standing.tagged) continue;
      next[i] = std::exchange(repository.last_name, i);
    }
  }
  std::vector<Candidate> group, of_rule;
  std::vector<int> place_of(seen.images.size());
  const bool numbered = std::ranges::any_of(
      policy.rules, [](const Rule& rule) { return rule.keep_last.has_value(); });
  for (const auto& [name, repository] : repositories) {
    group.clear();
    for (std::uint32_t i = repository.last_name; i != kEnd; i = next[i]) {
      names_[i].repository_in_use = repository.in_use;
      const std::uint32_t at = image_of[i];
      group.push_back({at,
                       i,
                       in_use[at],
                       seen.ages[at].first_seen,
                       seen.images[at].id.text(),
                       names_[i].name,
                       {}});
    }
    if (!group.empty()) TakePlaces(group, place_of, names_);
    // A rule with keepLast counts among what it selects alone, and has the last word on it.
    while (numbered && !group.empty()) {
      const Rule* const rule = RuleWithNumber(names_[group.back().standing]);
      const auto its =
          std::stable_partition(group.begin(), group.end(), [&](const Candidate& candidate) {
            return RuleWithNumber(names_[candidate.standing]) != rule;
          });
      of_rule.assign(its, group.end());
      group.erase(its, group.end());
      if (rule != nullptr) TakePlaces(of_rule, place_of, names_);
    }
  }
}

void Standings::AddNames(const Policy& policy, const Observation& seen) {
  RuleFinder finder(policy.rules);
  const auto add = [&](const Image& image, const ImageName* name, bool tagged) {
    NameStanding standing;
    standing.name = name;
    standing.tagged = tagged;
    standing.rule = finder.First(image, name);
    standing.kept = standing.rule != nullptr && standing.rule->keep_last
                        ? *standing.rule->keep_last
                        : policy.keep.last_per_repository;
    names_.push_back(standing);
  };
  for (const Image& image : seen.images) {
    begin_.push_back(static_cast<std::uint32_t>(names_.size()));
    for (const ImageName& tag : image.tags) add(image, &tag, true);
    if (!image.tags.empty()) continue;
    for (const ImageName& digest : image.digests) add(image, &digest, false);
    if (image.digests.empty()) add(image, nullptr, false);
  }
  begin_.push_back(static_cast<std::uint32_t>(names_.size()));
}

}  // namespace imagesweep
