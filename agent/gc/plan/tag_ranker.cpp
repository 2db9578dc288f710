#include "agent/gc/plan/tag_ranker.h"

#include <algorithm>
#include <string_view>
#include <tuple>

#include "agent/gc/plan/rollout.h"

namespace imagesweep {
namespace {

bool IsOrdered(const RankedName& name) {
  return name.version.kind == TagKind::kVersion;
}

}  // namespace

TagRanker::TagRanker(const Observation& seen, const WorkloadNeeds& needs,
                     const ByImage<bool>& in_use, const ByImage<bool>& stays,
                     std::vector<TagRanking>& names)
    : seen_(seen),
      needs_(needs),
      in_use_(in_use),
      stays_(stays),
      names_(names),
      clock_jumped_(std::ranges::any_of(
          seen.ages, [&](const ImageAge& age) { return age.first_seen > seen.at; })),
      first_of_(seen.images.size(), kNone) {}

// By version; equal versions are equally new.
void TagRanker::OrderByVersion(Group& group) {
  std::ranges::sort(
      group, [](const RankedName* a, const RankedName* b) { return a->version < b->version; });
  std::uint32_t newness = 0;
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (i > 0 && group[i - 1]->version < group[i]->version) ++newness;
    group[i]->newness = newness;
  }
}

// By the wall clock when first seen, unless the clock jumped: a time lies in the future or
// contradicts the monotonic clock.  An image that was never in use has been unused since it was
// first seen.  All images between two that contradict each other are equally new.
void TagRanker::OrderByFirstSeen(Group& group) {
  const auto first_seen = [&](const RankedName* name) {
    return clock_jumped_ ? SystemTime() : seen_.ages[name->image].first_seen;
  };
  std::ranges::sort(group, {}, first_seen);
  struct Class {
    std::size_t begin;
    Millis shortest;  // since first seen, of any in this class or in an earlier one
  };
  std::vector<Class> classes;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const ImageAge& age = seen_.ages[group[i]->image];
    const Millis known = age.last_used ? Millis::zero() : age.unused_for;
    Class its{i, age.last_used ? Millis::max() : known};
    bool same = i > 0 && first_seen(group[i - 1]) == first_seen(group[i]);
    for (; !classes.empty() && (same || classes.back().shortest < known); same = false) {
      its = {classes.back().begin, std::min(its.shortest, classes.back().shortest)};
      classes.pop_back();
    }
    if (!classes.empty()) its.shortest = std::min(its.shortest, classes.back().shortest);
    classes.push_back(its);
  }
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const std::size_t end = c + 1 < classes.size() ? classes[c + 1].begin : group.size();
    for (std::size_t i = classes[c].begin; i < end; ++i)
      group[i]->newness = static_cast<std::uint32_t>(c);
  }
}

TagRanker::Newest TagRanker::NewestOf(const Group& names, const RankedName* older) const {
  Newest newest;
  const auto offer = [](const RankedName*& best, const RankedName* name) {
    if (best == nullptr || name->newness > best->newness) best = name;
  };
  for (const RankedName* name : names) {
    if (older != nullptr && !MayReplace(name->version, older->version)) continue;
    offer(newest.any, name);
    if (in_use_[name->image]) offer(newest.in_use, name);
    if (stays_[name->image]) offer(newest.that_stays, name);
  }
  return newest;
}

int TagRanker::RankAmongSuccessors(const Group& names, const RankedName& name,
                                   const RankedImage& its) const {
  const auto comes_first = [&](const RankedName* other) {
    if (other->image == name.image || !MayReplace(other->version, name.version)) return false;
    const bool in_use = in_use_[other->image];
    return in_use == its.in_use ? other->newness > its.newness : in_use;
  };
  return 1 + static_cast<int>(std::ranges::count_if(names, comes_first));
}

// Assigns places from 1 for the newest, images in use first.  Images share the better place if it
// is unknown which is newer.  An image with several names takes one place, the best of them.
void TagRanker::AssignRanks(Group& group, bool only_prereleases) {
  const auto in_use = [&](const RankedName* name) { return bool{in_use_[name->image]}; };
  const auto text = [&](const RankedName* name) {
    return std::string_view(names_[name->ranking].name->text());
  };
  std::ranges::sort(group, [&](const RankedName* a, const RankedName* b) {
    if (in_use(a) != in_use(b)) return in_use(a);
    if (a->newness != b->newness) return a->newness > b->newness;
    return text(a) > text(b);
  });
  std::vector<RankedImage> images;  // each once
  int used = 0;
  Group candidates;  // the best name of each image
  for (RankedName* name : group) {
    std::uint32_t& first = first_of_[name->image];
    if (first != kNone) continue;
    first = static_cast<std::uint32_t>(images.size());
    int rank = static_cast<int>(images.size()) + 1;
    used += in_use(name) ? 1 : 0;
    if (!images.empty()) {
      const RankedImage& before = images.back();
      if (before.in_use == in_use(name) && before.newness == name->newness) rank = before.rank;
    }
    images.push_back({name->image, in_use(name), names_[name->ranking].name, rank, name->newness});
    candidates.push_back(name);
  }
  const Newest newest = NewestOf(candidates, nullptr);
  const bool reordered = !needs_.empty() && ReorderByRollout(needs_, seen_, images);
  std::vector<int> sharing(images.size() + 1);  // by place
  for (const RankedImage& one : images) ++sharing[static_cast<std::size_t>(one.rank)];
  // The newest of those that rollouts order.
  const RankedImage* rolled_out = nullptr;
  if (reordered)
    for (const RankedImage& one : images)
      if (!needs_.of(one.image).empty() &&
          (rolled_out == nullptr || std::tuple(one.rank, one.name->text()) <
                                        std::tuple(rolled_out->rank, rolled_out->name->text())))
        rolled_out = &one;
  const auto name_of = [&](const RankedName* name) { return names_[name->ranking].name; };
  for (const RankedName* name : group) {
    if (only_prereleases && !name->version.prerelease) continue;
    const RankedImage& its = images[first_of_[name->image]];
    TagRanking& ranking = names_[name->ranking];
    const bool ordered = IsOrdered(*name);
    const bool again = !seen_.images[name->image].local_only();
    const bool hand_made = !name->version.more_words.empty();
    ranking.rank = !ordered && !again ? 1
                   : hand_made ? std::min(its.rank, RankAmongSuccessors(candidates, *name, its))
                               : its.rank;
    ranking.in_use_here = used;
    ranking.shared = sharing[static_cast<std::size_t>(its.rank)] > 1;
    ranking.ranked_as = ranking.replaced_by = ranking.newer_that_stays = nullptr;
    if (!ordered && (!again || name->version.kind != TagKind::kCommit)) continue;
    const Newest its_newest = hand_made ? NewestOf(candidates, name) : newest;
    const auto is_newer = [&](const RankedName* other) {
      return other != nullptr && other->newness > its.newness;
    };
    for (const RankedName* other : {its_newest.in_use, its_newest.any})
      if (ranking.replaced_by == nullptr && is_newer(other)) ranking.replaced_by = name_of(other);
    if (ordered && !name->version.may_be_name && is_newer(its_newest.that_stays))
      ranking.newer_that_stays = name_of(its_newest.that_stays);
    if (rolled_out != nullptr && !needs_.of(name->image).empty() && rolled_out->rank < its.rank)
      ranking.replaced_by = rolled_out->name;
  }
  for (const RankedName* name : group) first_of_[name->image] = kNone;
}

// A release takes the place of a pre-release, but never the reverse.
void TagRanker::RankScheme(Group& group) {
  if (!IsOrdered(*group.front())) {
    OrderByFirstSeen(group);
    return AssignRanks(group, false);
  }
  OrderByVersion(group);
  Group releases, prereleases;
  for (RankedName* name : group)
    (name->version.prerelease ? prereleases : releases).push_back(name);
  if (!releases.empty()) AssignRanks(releases, false);
  while (!prereleases.empty()) {
    const std::string_view line = prereleases.back()->version.line;
    const auto its =
        std::stable_partition(prereleases.begin(), prereleases.end(),
                              [&](const RankedName* name) { return name->version.line != line; });
    Group with_releases = releases;
    with_releases.insert(with_releases.end(), its, prereleases.end());
    prereleases.erase(its, prereleases.end());
    AssignRanks(with_releases, true);
  }
}

// A tag without an order takes the place of another tag of the image that has an order.
void TagRanker::AssignRanksToAliases(std::vector<RankedName>& group) {
  const auto rank = [&](const RankedName& name) { return names_[name.ranking].rank; };
  for (std::size_t i = 0; i < group.size();) {
    std::size_t end = i;
    const RankedName* best = nullptr;
    for (; end < group.size() && group[end].image == group[i].image; ++end)
      if (IsOrdered(group[end]) && (best == nullptr || rank(group[end]) < rank(*best)))
        best = &group[end];
    for (; i < end; ++i) {
      if (best == nullptr || IsOrdered(group[i]) || group[i].version.kind == TagKind::kSignature)
        continue;
      const TagRanking& its = names_[best->ranking];
      TagRanking& ranking = names_[group[i].ranking];
      ranking.rank = its.rank;
      ranking.in_use_here = its.in_use_here;
      ranking.shared = its.shared;
      ranking.replaced_by = its.replaced_by;
      // Users may know an image that cannot be pulled again only by such a word.  "latest" does not
      // count, because tools use it for every image.
      const bool own_word = group[i].version.kind == TagKind::kWord &&
                            names_[group[i].ranking].name->tag() != "latest" &&
                            seen_.images[group[i].image].local_only();
      ranking.newer_that_stays = own_word ? nullptr : its.newer_that_stays;
      ranking.ranked_as = its.name;
    }
  }
}

void TagRanker::RankTags(std::vector<RankedName>& group) {
  for (RankedName& name : group) name.version = ReadTag(names_[name.ranking].name->tag());
  std::ranges::sort(group, {}, [](const RankedName& name) {
    return std::tuple(name.image, name.version.kind, name.ranking);
  });
  Group all;
  all.reserve(group.size());
  const RankedName* ordered = nullptr;  // the first name of the image, when it has an order
  for (RankedName& name : group) {
    if (IsOrdered(name)) ordered = &name;
    const bool twin = ordered != nullptr && ordered->image == name.image && !IsOrdered(name);
    if (name.version.kind == TagKind::kSignature || twin) continue;
    // All words are in one group: none replaces another, but the last seen rank first.
    if (name.version.kind == TagKind::kWord) name.version.scheme.clear();
    all.push_back(&name);
  }
  const auto scheme = [](const RankedName* name) {
    return std::tuple<TagKind, std::string_view>(name->version.kind, name->version.scheme);
  };
  std::ranges::sort(all, {}, scheme);
  for (auto from = all.begin(); from != all.end();) {
    const auto to =
        std::find_if(from, all.end(), [&](auto* name) { return scheme(name) != scheme(*from); });
    Group of_scheme(from, to);
    RankScheme(of_scheme);
    from = to;
  }
  AssignRanksToAliases(group);
}

void TagRanker::RankDigests(std::vector<RankedName>& group) {
  Group all;
  for (RankedName& name : group)
    if (!seen_.ages[name.image].lost_tag) all.push_back(&name);
  if (!all.empty()) RankScheme(all);
}

}  // namespace imagesweep
