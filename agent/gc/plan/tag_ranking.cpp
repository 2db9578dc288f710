#include "agent/gc/plan/tag_ranking.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "agent/gc/plan/rule_finder.h"
#include "agent/gc/plan/tag_ranker.h"
#include "agent/gc/plan/version.h"

namespace imagesweep {

namespace {

using Group = std::vector<RankedName>;

const Rule* RuleWithNumber(const TagRanking& ranking) {
  return ranking.numbered() ? ranking.rule : nullptr;
}

// Images that no plan removes: in use, pinned, or local under keep.localOnly.  Images kept for
// rollback do not count, because critical disk use can remove them.  Images that workloads name do
// not count, because one more workload must not lead to more removals.
ByImage<bool> ThatStay(const Policy& policy, const Observation& seen, const ByImage<bool>& in_use) {
  const bool local_stay = policy.keep.local_only != LocalOnly::kNever &&
                          std::ranges::none_of(policy.rules, [](const Rule& rule) {
                            return rule.local_only == LocalOnly::kNever;
                          });
  ByImage<bool> stays(seen.images.size());
  for (const ImagePos at : Positions(stays)) {
    const Image& image = seen.images[at];
    // The greatest version that cannot be pulled again always stays.
    stays[at] = in_use[at] || image.pinned || (local_stay && image.local_only());
  }
  return stays;
}

// The images by the names that signatures use: the digests of their manifests, and their IDs.
std::unordered_map<std::string, const Image*> BySubject(const std::vector<Image>& images) {
  std::unordered_map<std::string, const Image*> by_subject;
  const auto add = [&](std::string_view digest, const Image& image) {
    std::string subject(digest);
    std::ranges::replace(subject, ':', '-');
    by_subject.try_emplace(std::move(subject), &image);
  };
  for (const Image& image : images) {
    for (const ImageName& digest : image.digests) add(digest.digest(), image);
    add(image.id.text(), image);
  }
  return by_subject;
}

void FindSubjects(const std::vector<Image>& images, std::vector<TagRanking>& names) {
  std::optional<std::unordered_map<std::string, const Image*>> by_subject;
  for (TagRanking& ranking : names) {
    if (!ranking.tagged) continue;
    const std::string_view subject = SubjectOf(ranking.name->tag());
    if (subject.empty()) continue;
    ranking.signature = true;
    if (!by_subject) by_subject = BySubject(images);
    if (const auto it = by_subject->find(std::string(subject)); it != by_subject->end())
      ranking.subject = it->second;
  }
}

}  // namespace

TagRankings::TagRankings(const Policy& policy, const Observation& seen, const ByImage<bool>& in_use,
                         const WorkloadNeeds& needs) {
  AddNames(policy, seen);
  FindSubjects(seen.images, names_);
  // The tagged names and the digests of each repository, each a chain through `next`, which avoids
  // a list for each repository.
  constexpr std::uint32_t kEnd = 0xFFFFFFFF;
  struct Repository {
    std::uint32_t last_tag = kEnd;
    std::uint32_t last_digest = kEnd;
    std::optional<ImagePos> last_in_use;
    int images_in_use = 0;
    bool in_use = false;
    bool digests_in_use = false;
  };
  std::unordered_map<std::string_view, Repository> repositories;
  repositories.reserve(names_.size());
  decltype(repositories)::value_type* last = nullptr;
  std::vector<std::uint32_t> next(names_.size(), kEnd);
  std::vector<ImagePos> image_of(names_.size());
  for (const ImagePos at : Positions(seen.images)) {
    for (std::uint32_t i = begin_[at.value()]; i < begin_[at.value() + 1]; ++i) {
      image_of[i] = at;
      const TagRanking& ranking = names_[i];
      if (ranking.name == nullptr) continue;
      // The names of an image are mostly of one repository.
      if (last == nullptr || ranking.name->repository() != last->first)
        last = &*repositories.try_emplace(ranking.name->repository()).first;
      Repository& repository = last->second;
      if (in_use[at] || needs.named(at)) {
        repository.in_use = true;
        if (!ranking.tagged) repository.digests_in_use = true;
      }
      if (in_use[at] && std::exchange(repository.last_in_use, at) != at) ++repository.images_in_use;
      next[i] = std::exchange(ranking.tagged ? repository.last_tag : repository.last_digest, i);
    }
  }
  Group group, of_rule;
  const ByImage<bool> stays = ThatStay(policy, seen, in_use);
  TagRanker ranker(seen, needs, in_use, stays, names_);
  const bool numbered = std::ranges::any_of(
      policy.rules, [](const Rule& rule) { return rule.keep_last.has_value(); });
  const auto rank = [&](Group& its, bool tagged) {
    if (tagged)
      ranker.RankTags(its);
    else
      ranker.RankDigests(its);
  };
  for (const auto& [name, repository] : repositories) {
    for (const bool tagged : {true, false}) {
      group.clear();
      for (std::uint32_t i = tagged ? repository.last_tag : repository.last_digest; i != kEnd;
           i = next[i]) {
        names_[i].repository_in_use = tagged ? repository.in_use : repository.digests_in_use;
        group.push_back({.image = image_of[i], .ranking = i});
      }
      if (group.empty()) continue;
      // A rule with keepLast ranks only the names that it selects, and its ranks take precedence.
      const bool has_number =
          numbered && std::ranges::any_of(group, [&](const RankedName& candidate) {
            return RuleWithNumber(names_[candidate.ranking]) != nullptr;
          });
      auto rest = has_number ? group : Group();
      rank(group, tagged);
      while (!rest.empty()) {
        const Rule* const rule = RuleWithNumber(names_[rest.back().ranking]);
        const auto its =
            std::stable_partition(rest.begin(), rest.end(), [&](const RankedName& candidate) {
              return RuleWithNumber(names_[candidate.ranking]) != rule;
            });
        of_rule.assign(its, rest.end());
        rest.erase(its, rest.end());
        if (rule != nullptr) rank(of_rule, tagged);
      }
      for (const RankedName& candidate : group) {
        TagRanking& ranking = names_[candidate.ranking];
        ranking.in_use_elsewhere = repository.images_in_use - ranking.in_use_here;
      }
    }
  }
}

void TagRankings::AddNames(const Policy& policy, const Observation& seen) {
  RuleFinder finder(policy.rules);
  const auto add = [&](const Image& image, const ImageName* name, bool tagged) {
    TagRanking ranking;
    ranking.name = name;
    ranking.tagged = tagged;
    ranking.rule = finder.Find(image, name);
    ranking.kept = ranking.rule != nullptr && ranking.rule->keep_last
                       ? *ranking.rule->keep_last
                       : policy.keep.last_per_repository;
    names_.push_back(ranking);
  };
  std::size_t names = 0;
  for (const Image& image : seen.images) names += image.tags.size() + 1;
  names_.reserve(names);
  begin_.reserve(seen.images.size() + 1);
  for (const Image& image : seen.images) {
    begin_.push_back(static_cast<std::uint32_t>(names_.size()));
    for (const ImageName& tag : image.tags) add(image, &tag, true);
    // A digest adds nothing if the image has a tag in the same repository.
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

namespace {

std::string Ordinal(int number) {
  const int last = number % 10;
  const bool teens = number / 10 % 10 == 1;
  const char* const ending = teens || last == 0 || last > 3 ? "th"
                             : last == 1                    ? "st"
                             : last == 2                    ? "nd"
                                                            : "rd";
  return std::to_string(number) + ending;
}

// The names that this name is ranked among.
std::string Peers(const TagRanking& ranking) {
  if (!ranking.tagged) return " among its digests, by first seen";
  const ImageName& name = ranking.ranked_as != nullptr ? *ranking.ranked_as : *ranking.name;
  const TagVersion version = ReadTag(name.tag());
  if (version.kind == TagKind::kWord) return " among its tags without a version, by first seen";
  return " in scheme " + SchemeText(version) +
         (version.kind == TagKind::kCommit ? ", by first seen" : "");
}

}  // namespace

std::string RankText(const TagRanking& ranking, int kept) {
  const int taken = ranking.removes() && !ranking.numbered() ? ranking.in_use_elsewhere : 0;
  std::string text = ranking.shared ? "tied for " : "";
  text += ranking.rank == 1 ? "newest of " : Ordinal(ranking.rank) + " newest of ";
  text += std::string(ranking.name->repository()) + Peers(ranking);
  if (taken > 0) text += ", after " + std::to_string(taken) + " in use";
  if (kept == 0) return text + "; none is kept";
  return text + (kept == 1 ? "; the newest is kept"
                           : "; the newest " + std::to_string(kept) + " are kept");
}

}  // namespace imagesweep
