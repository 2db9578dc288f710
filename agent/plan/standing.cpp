#include "agent/plan/standing.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

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

// An image with several tags takes one place, the best of them.
void TakePlaces(std::vector<Candidate>& group, std::vector<NameStanding>& names) {
  SortNewestFirst(group);
  int places = 0;
  for (std::size_t i = 0; i < group.size(); ++i) {
    NameStanding& standing = names[group[i].standing];
    standing.newest = group.front().name;
    standing.place = 0;
    // Images with several tags in one repository have few of them, next to each other as a rule.
    for (std::size_t before = i; before-- > 0 && standing.place == 0;)
      if (group[before].image == group[i].image)
        standing.place = names[group[before].standing].place;
    if (standing.place == 0) standing.place = ++places;
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
  std::vector<std::uint32_t> next(names_.size(), kEnd);
  std::vector<std::uint32_t> image_of(names_.size());
  std::map<std::pair<std::string_view, const Rule*>, std::vector<std::uint32_t>> of_rules;
  for (std::uint32_t at = 0; at < seen.images.size(); ++at) {
    for (std::uint32_t i = begin_[at]; i < begin_[at + 1]; ++i) {
      image_of[i] = at;
      const NameStanding& standing = names_[i];
      if (standing.name == nullptr) continue;
      Repository& repository = repositories[standing.name->repository()];
      repository.in_use = repository.in_use || in_use[at];
      if (!standing.tagged) continue;
      next[i] = std::exchange(repository.last_name, i);
      if (standing.rule != nullptr && standing.rule->keep_last)
        of_rules[{standing.name->repository(), standing.rule}].push_back(i);
    }
  }
  std::vector<Candidate> group;
  const auto add = [&](std::uint32_t i) {
    const std::uint32_t at = image_of[i];
    group.push_back({at,
                     i,
                     in_use[at],
                     seen.ages[at].first_seen,
                     seen.images[at].id.text(),
                     names_[i].name,
                     {}});
  };
  for (const auto& [name, repository] : repositories) {
    group.clear();
    for (std::uint32_t i = repository.last_name; i != kEnd; i = next[i]) {
      names_[i].repository_in_use = repository.in_use;
      add(i);
    }
    if (!group.empty()) TakePlaces(group, names_);
  }
  // A rule with keepLast counts among what it selects alone, and has the last word on it.
  for (const auto& [key, names] : of_rules) {
    group.clear();
    for (const std::uint32_t i : names) add(i);
    TakePlaces(group, names_);
  }
}

void Standings::AddNames(const Policy& policy, const Observation& seen) {
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
  for (const Image& image : seen.images) {
    begin_.push_back(static_cast<std::uint32_t>(names_.size()));
    for (const ImageName& tag : image.tags) add(&tag, true);
    if (!image.tags.empty()) continue;
    for (const ImageName& digest : image.digests) add(&digest, false);
    if (image.digests.empty()) add(nullptr, false);
  }
  begin_.push_back(static_cast<std::uint32_t>(names_.size()));
}

}  // namespace imagesweep
