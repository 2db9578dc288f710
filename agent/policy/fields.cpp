#include "agent/policy/fields.h"

#include <limits>

#include "agent/policy/object.h"

namespace imagesweep {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr int kAny = std::numeric_limits<int>::max();
const auto kPercent = [] { return Integer(0, 100); };
const auto kAge = [] { return Duration(Millis::zero(), Millis::max()); };

CodecPtr<DiskThresholds> DiskFields() {
  using S = DiskThresholds;
  return ObjectOf<S>(
      {
          Member("highThresholdPercent", &S::high_percent, kPercent(),
                 "at or above this much use images go, least recently used first; 0 = off"),
          Member("lowThresholdPercent", &S::low_percent, kPercent(),
                 "… until use is at or below this"),
      },
      {{"lowThresholdPercent", "highThresholdPercent", true, [](const S& disk) {
          return disk.high_percent == 0 || disk.low_percent < disk.high_percent;
        }}});
}

template <typename E>
CodecPtr<E> Words(std::vector<std::pair<std::string, E>> words) {
  return std::make_shared<Choice<E>>(std::move(words));
}

template <typename T>
CodecPtr<std::vector<T>> Many(CodecPtr<T> item) {
  return std::make_shared<ListOf<T>>(std::move(item));
}

CodecPtr<Selector> SelectorFields() {
  using S = Selector;
  return ObjectOf<S>({
      Member("images", &S::images, Many(ImagePattern()), "repositories; empty: every one"),
      Member("tags", &S::tags, Many(TagPattern()), "tags; empty: every one, and names without one"),
      Member<S, TagStatus>("tagStatus", &S::tag_status,
                           Words<TagStatus>({{"Any", TagStatus::kAny},
                                             {"Tagged", TagStatus::kTagged},
                                             {"Untagged", TagStatus::kUntagged}}),
                           "whether names with or without a tag are meant"),
  });
}

CodecPtr<Rule> RuleFields() {
  using S = Rule;
  return ObjectOf<S>({
      Member("name", &S::name, Word(), "how reports call it"),
      Member("selector", &S::selector, SelectorFields(), "which names it decides for"),
      Member<S, RuleAction>(
          "action", &S::action,
          Words<RuleAction>({{"Keep", RuleAction::kKeep},
                             {"Remove", RuleAction::kRemove},
                             {"Evaluate", RuleAction::kEvaluate}}),
          "Keep: stays; Remove: goes, past every protection; Evaluate: is judged with "
          "the rule's own numbers"),
      Member("keepLast", &S::keep_last, Maybe(Integer(0, kAny)),
             "the newest so many of each repository stay, among what the rule selects"),
      Member("minimumAge", &S::minimum_age, Maybe(kAge()), "in place of the policy's"),
      Member("maximumAge", &S::maximum_age, Maybe(kAge()), "in place of the policy's"),
  });
}

CodecPtr<KeepRules> KeepFields() {
  using S = KeepRules;
  return ObjectOf<S>({
      Member("images", &S::images, Many(ImagePattern()),
             "image names that stay whatever else is said, e.g. \"shop/**\" or \"redis:7.*\""),
      Member("tags", &S::tags, Many(TagPattern()),
             "an image with such a tag stays, e.g. \"latest\" or \"prod-*\""),
      Member(
          "lastPerRepository", &S::last_per_repository, Integer(0, kAny),
          "rollback room: the newest so many of each repository that is in use stay; those in use "
          "are counted among them"),
      Member<S, LocalOnly>("localOnly", &S::local_only,
                           Words<LocalOnly>({{"Always", LocalOnly::kAlways},
                                             {"UnlessSuperseded", LocalOnly::kUnlessSuperseded},
                                             {"Never", LocalOnly::kNever}}),
                           "whether images stay that no registry is known for (no repo digest), "
                           "so that they cannot be pulled again; UnlessSuperseded lets those go of "
                           "which the node has "
                           "a newer version"),
      Member("unknown", &S::unknown, Boolean(), "what no rule selects stays"),
  });
}

CodecPtr<Limits> LimitFields() {
  using S = Limits;
  return ObjectOf<S>({
      Member("maxImages", &S::max_images, Integer(0, kAny), "images removed at most"),
      Member("maxBytes", &S::max_bytes, Quantity(),
             "bytes removed at most, by the sizes that the runtime tells; 0 = no limit"),
      Member("maxPercentOfImages", &S::max_percent_of_images, kPercent(),
             "part of all images of the node that is removed at most"),
      Member("removalDelay", &S::removal_delay, Duration(Millis::zero(), hours(1)),
             "pause between two removals"),
      Member("maxFailures", &S::max_failures, Integer(1, kAny),
             "failed removals after which the run stops"),
  });
}

CodecPtr<Policy> MakePolicyFields() {
  using S = Policy;
  return ObjectOf<S>(
      {
          Constant<S>("apiVersion", "imagesweep/v1alpha1", "version of this format"),
          Constant<S>("kind", "SweepPolicy", "what this document is"),
          Member("dryRun", &S::dry_run, Boolean(), "decide and report, remove nothing"),
          Member("suspend", &S::suspend, Boolean(), "emergency brake: nothing is removed"),
          Member<S, Profile>("profile", &S::profile,
                             Words<Profile>({{"Conservative", Profile::kConservative},
                                             {"Balanced", Profile::kBalanced},
                                             {"Aggressive", Profile::kAggressive}}),
                             "presets for what is not written; see Profiles"),
          Member("interval", &S::interval, Duration(minutes(1), hours(24)),
                 "time between two runs"),
          Member("initialDelay", &S::initial_delay, Duration(Millis::zero(), hours(24)),
                 "nothing is removed this soon after the agent starts"),
          Member(
              "jitterPercent", &S::jitter_percent, kPercent(),
              "part of the interval by which runs are spread, so that nodes do not run together"),
          Member("minimumAge", &S::minimum_age, kAge(),
                 "an image is never removed earlier than this after its last use, or after it was "
                 "first seen on the node"),
          Member(
              "maximumAge", &S::maximum_age, kAge(),
              "an image unused for longer than this is removed whatever the disk says; 0s = off"),
          Member("removeDangling", &S::remove_dangling, Boolean(),
                 "remove images that lost their tag to a newer image of the same repository, or "
                 "have no name at all"),
          Member("removeSuperseded", &S::remove_superseded, Boolean(),
                 "remove images older than the newest lastPerRepository of their repository"),
          Member("diskUsage", &S::disk, DiskFields(),
                 "use of the image filesystem; the kubelet acts at 85 and stops at 80, so stay "
                 "below"),
          Member("keep", &S::keep, KeepFields(), "images that stay"),
          Member(
              "rules", &S::rules, Many(RuleFields()),
              "the first rule that selects a name decides for it; an image goes only when all its "
              "names may"),
          Member("limits", &S::limits, LimitFields(), "of one run"),
      },
      {{"minimumAge", "maximumAge", false, [](const S& policy) {
          return policy.maximum_age == Millis::zero() || policy.minimum_age <= policy.maximum_age;
        }}});
}

}  // namespace

const Codec<Rule>& RuleTable() {
  static const CodecPtr<Rule> fields = RuleFields();
  return *fields;
}

const Codec<Policy>& PolicyFields() {
  static const CodecPtr<Policy> fields = MakePolicyFields();
  return *fields;
}

}  // namespace imagesweep
