#include "agent/plan/standing.h"

#include <algorithm>
#include <compare>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "agent/plan/rollout.h"
#include "agent/plan/rule_finder.h"
#include "agent/plan/version.h"

namespace imagesweep {
namespace {

// One name among others of its repository.
struct Candidate {
  std::uint32_t image;
  std::uint32_t standing;  // position in the list of all names
  bool in_use;
  SystemTime first_seen;
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

// Which of two is newer, as far as anybody can tell; equal: nobody can.  A name is no reason.
std::weak_ordering Newer(const Candidate& a, const Candidate& b, bool by_version) {
  if (a.in_use != b.in_use) return a.in_use <=> b.in_use;
  if (by_version && a.version.has_value() != b.version.has_value())  // both are in use, see Rank
    return a.version.has_value() <=> b.version.has_value();
  if (by_version && a.version)
    if (const auto order = *a.version <=> *b.version; order != 0) return order;
  return a.first_seen <=> b.first_seen;
}

// What all groups share.
struct Ranking {
  const Observation& seen;
  const WorkloadNeeds& needs;
  std::vector<int> place_of;  // of every image; zero before and after each group
  std::vector<RankedImage> ranked;
  std::vector<NameStanding>& names;
};

// Gives places from 1 for the newest.  Images of which nobody can tell the newer share the better
// place.  An image with several names takes one place, the best of them.
void TakePlaces(std::span<Candidate> group, bool by_version, Ranking& ranking) {
  std::ranges::sort(group, [&](const Candidate& a, const Candidate& b) {
    const auto order = Newer(a, b, by_version);
    return order != 0 ? order > 0 : a.name->text() > b.name->text();
  });
  std::vector<int>& place_of = ranking.place_of;
  int images = 0;
  const Candidate* last = nullptr;  // the best name of the image before
  ranking.ranked.clear();
  for (const Candidate& candidate : group) {
    int& place = place_of[candidate.image];
    if (place != 0) continue;
    ++images;
    const bool tied = last != nullptr && Newer(*last, candidate, by_version) == 0;
    place = tied ? place_of[last->image] : images;
    last = &candidate;
    if (!ranking.needs.empty())
      ranking.ranked.push_back({candidate.image, candidate.in_use, candidate.name, place});
  }
  const ImageName* newest = group.front().name;
  if (!ranking.ranked.empty()) {
    DealPlacesByRollout(ranking.needs, ranking.seen, ranking.ranked);
    // Of several that share the first place always the same.
    const auto rank = [&](const RankedImage& its) {
      return std::tuple<int, bool, std::string_view>(
          -its.place, !ranking.needs.of(its.image).empty(), its.name->text());
    };
    newest = std::ranges::max_element(ranking.ranked, {}, rank)->name;
    for (const RankedImage& its : ranking.ranked) place_of[its.image] = its.place;
  }
  for (const Candidate& candidate : group) {
    NameStanding& standing = ranking.names[candidate.standing];
    standing.newest = newest;
    standing.place = place_of[candidate.image];
  }
  for (const Candidate& candidate : group) place_of[candidate.image] = 0;
}

// A tag that tells a version and one that does not ("latest", a commit) cannot be compared.  So
// each kind is ranked among its own, behind what is in use of either, and each has its own room to
// roll back.  A tag without a version on an image that has one goes by that.
void Rank(std::vector<Candidate>& group, Ranking& ranking) {
  if (group.size() > 1)
    for (Candidate& candidate : group) candidate.version = ReadVersion(candidate.name->tag());
  if (!OneKind(group)) return TakePlaces(group, false, ranking);
  const auto has_version = [](const Candidate& candidate) { return candidate.version.has_value(); };
  if (std::ranges::all_of(group, has_version)) return TakePlaces(group, true, ranking);
  std::ranges::sort(group, {}, [](const Candidate& candidate) {
    return std::tuple(candidate.image, !candidate.version.has_value());
  });
  for (std::size_t i = 1; i < group.size(); ++i)
    if (group[i].image == group[i - 1].image && !group[i].version)
      group[i].version = group[i - 1].version;
  std::vector<Candidate> others;
  for (const Candidate& candidate : group)
    if (!candidate.version || candidate.in_use) others.push_back(candidate);
  if (!std::ranges::all_of(others, has_version)) TakePlaces(others, false, ranking);
  std::erase_if(group,
                [](const Candidate& candidate) { return !candidate.version && !candidate.in_use; });
  TakePlaces(group, true, ranking);
}

const Rule* RuleWithNumber(const NameStanding& standing) {
  return standing.rule != nullptr && standing.rule->keep_last ? standing.rule : nullptr;
}

}  // namespace

Standings::Standings(const Policy& policy, const Observation& seen, const std::vector<bool>& in_use,
                     const WorkloadNeeds& needs) {
  AddNames(policy, seen);
  // Groups of one repository's tagged names, each a chain through `next`: no list of its own for
  // each.
  constexpr std::uint32_t kEnd = 0xFFFFFFFF;
  struct Repository {
    std::uint32_t last_tag = kEnd;
    std::uint32_t last_digest = kEnd;
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
      repository.in_use = repository.in_use || in_use[at] || needs.wanted(at);
      next[i] = std::exchange(standing.tagged ? repository.last_tag : repository.last_digest, i);
    }
  }
  std::vector<Candidate> group, of_rule;
  Ranking ranking{seen, needs, std::vector<int>(seen.images.size()), {}, names_};
  const bool numbered = std::ranges::any_of(
      policy.rules, [](const Rule& rule) { return rule.keep_last.has_value(); });
  for (const auto& [name, repository] : repositories) {
    group.clear();
    // Where tags are used, an image without one has lost it; where none are, digests are the names.
    const bool by_digest = repository.last_tag == kEnd;
    for (std::uint32_t i = by_digest ? repository.last_digest : repository.last_tag; i != kEnd;
         i = next[i]) {
      names_[i].repository_in_use = repository.in_use;
      const std::uint32_t at = image_of[i];
      group.push_back({at, i, in_use[at], seen.ages[at].first_seen, names_[i].name, {}});
    }
    // A rule with keepLast counts among what it selects alone, and has the last word on it.
    const bool has_number = numbered && std::ranges::any_of(group, [&](const Candidate& candidate) {
                              return RuleWithNumber(names_[candidate.standing]) != nullptr;
                            });
    auto rest = has_number ? group : std::vector<Candidate>();
    if (!group.empty()) Rank(group, ranking);
    while (!rest.empty()) {
      const Rule* const rule = RuleWithNumber(names_[rest.back().standing]);
      const auto its =
          std::stable_partition(rest.begin(), rest.end(), [&](const Candidate& candidate) {
            return RuleWithNumber(names_[candidate.standing]) != rule;
          });
      of_rule.assign(its, rest.end());
      rest.erase(its, rest.end());
      if (rule != nullptr) Rank(of_rule, ranking);
    }
  }
}

void Standings::AddNames(const Policy& policy, const Observation& seen) {
  RuleFinder finder(policy.rules);
  const auto add = [&](const Image& image, const ImageName* name, bool tagged) {
    NameStanding standing;
    standing.name = name;
    standing.tagged = tagged;
    standing.rule = finder.Find(image, name);
    standing.kept = standing.rule != nullptr && standing.rule->keep_last
                        ? *standing.rule->keep_last
                        : policy.keep.last_per_repository;
    names_.push_back(standing);
  };
  std::size_t names = 0;
  for (const Image& image : seen.images) names += image.tags.size() + 1;
  names_.reserve(names);
  begin_.reserve(seen.images.size() + 1);
  for (const Image& image : seen.images) {
    begin_.push_back(static_cast<std::uint32_t>(names_.size()));
    for (const ImageName& tag : image.tags) add(image, &tag, true);
    // A digest that shares its repository with a tag of the image says nothing more than the tag.
    const auto tagged = [&](const ImageName& digest) {
      return std::ranges::any_of(image.tags, [&](const ImageName& tag) {
        return tag.repository() == digest.repository();
      });
    };
    for (const ImageName& digest : image.digests)
      if (!tagged(digest)) add(image, &digest, false);
    if (image.tags.empty() && image.digests.empty()) add(image, nullptr, false);
  }
  begin_.push_back(static_cast<std::uint32_t>(names_.size()));
}

}  // namespace imagesweep
