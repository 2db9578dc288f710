#include "agent/policy/fields.h"

#include <limits>
#include <map>

#include "agent/policy/object.h"
#include "agent/policy/override.h"

namespace imagesweep {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr int kAny = std::numeric_limits<int>::max();
const auto kPercent = [] { return Integer(0, 100); };
const auto kAge = [] { return Duration(Millis::zero(), Millis::max()); };

template <typename S>
Order<S> LowBelowHigh() {
  return {"lowThresholdPercent", "highThresholdPercent", true, [](const S& marks) {
            return marks.high_percent == 0 || marks.low_percent < marks.high_percent;
          }};
}

constexpr const char* kHighMeans =
    "at or above this much use images go, least recently used first; 0 = off";
constexpr const char* kLowMeans = "… until use is at or below this";

CodecPtr<Marks> InodeFields() {
  using S = Marks;
  return ObjectOf<S>(
      {
          Member("highThresholdPercent", &S::high_percent, kPercent(), kHighMeans),
          Member("lowThresholdPercent", &S::low_percent, kPercent(), kLowMeans),
      },
      {LowBelowHigh<S>()});
}

CodecPtr<Critical> CriticalFields() {
  using S = Critical;
  return ObjectOf<S>({
      Member("thresholdPercent", &S::threshold_percent, kPercent(),
             "at or above this much use, of bytes or inodes, images that only minimumAge or "
             "keep.lastPerRepository keeps may go too, and windows do not hold; protections, and "
             "minimumAge and keepLast of rules, do; 0 = off"),
      Member("minimumAge", &S::minimum_age, kAge(),
             "in place of the policy's minimumAge then, if shorter"),
  });
}

CodecPtr<DiskThresholds> DiskFields() {
  using S = DiskThresholds;
  return ObjectOf<S>(
      {
          Member<S, int>("highThresholdPercent", &S::high_percent, kPercent(), kHighMeans),
          Member<S, int>("lowThresholdPercent", &S::low_percent, kPercent(), kLowMeans),
          Member("inodes", &S::inodes, InodeFields(), "the same for inodes"),
          Member("critical", &S::critical, CriticalFields(), "when the node is about to suffer"),
      },
      {LowBelowHigh<S>()});
}

template <typename E>
CodecPtr<E> Words(std::vector<std::pair<std::string, E>> words,
                  std::map<std::string, std::string> retired = {}) {
  return std::make_shared<Choice<E>>(std::move(words), std::move(retired));
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

CodecPtr<LocalOnly> LocalOnlyWords() {
  return Words<LocalOnly>({{"Always", LocalOnly::kAlways},
                           {"UnlessSuperseded", LocalOnly::kUnlessSuperseded},
                           {"Never", LocalOnly::kNever}});
}

CodecPtr<Rule> RuleFields() {
  using S = Rule;
  return ObjectOf<S>(
      {Member("name", &S::name, Word(), "how reports call it"),
       Member("selector", &S::selector, SelectorFields(), "which names it decides for"),
       Member<S, RuleAction>(
           "action", &S::action,
           Words<RuleAction>(
               {{"Keep", RuleAction::kKeep},
                {"Remove", RuleAction::kRemove},
                {"Evaluate", RuleAction::kEvaluate}},
               {{"Untag",
                 "this action no longer exists, because a tag alone frees no space; delete "
                 "the rule: a tag goes when its image goes"}}),
           "Keep: stays; Remove: goes as soon as no protection holds it; Evaluate: is judged with "
           "the rule's own numbers"),
       Member("keepLast", &S::keep_last, Maybe(Integer(0, kAny)),
              "keep the newest N images of each repository and scheme of tags, among what the rule "
              "selects"),
       Member("minimumAge", &S::minimum_age, Maybe(kAge()), "in place of the policy's"),
       Member("maximumAge", &S::maximum_age, Maybe(kAge()), "in place of the policy's"),
       Member("localOnly", &S::local_only, Maybe(LocalOnlyWords()),
              "in place of keep.localOnly; an image of several names goes only when all of them "
              "may")});
}

CodecPtr<KeepWorkloads> WorkloadFields() {
  using S = KeepWorkloads;
  return ObjectOf<S>({
      Member("enabled", &S::enabled, Boolean(),
             "images stay that the cluster's workloads will start again, also where no pod of "
             "theirs is; while the cluster's workloads cannot be read, every run refuses; a host "
             "without a cluster has none"),
      Member("rollbackRevisions", &S::rollback_revisions, Integer(0, kAny),
             "so many revisions of each workload before the present one count, which a rollback "
             "would start"),
      Member("scaledToZero", &S::scaled_to_zero, Boolean(),
             "workloads without replicas count, their older revisions too"),
      Member("cronJobs", &S::cron_jobs, Boolean(), "what the next run of a CronJob starts counts"),
  });
}

CodecPtr<Archive> ArchiveFields() {
  using S = Archive;
  return ObjectOf<S>({
      Member("path", &S::path, DirectoryPath(),
             "the directory, as the agent sees it (in the chart: /state/archive); empty: off"),
      Member("maxSize", &S::max_size, Quantity(), "how large the directory may become"),
  });
}

CodecPtr<KeepRules> KeepFields() {
  using S = KeepRules;
  return ObjectOf<S>({
      Member("images", &S::images, Many(ImagePattern()),
             "image names that stay whatever else is said, e.g. \"shop/**\" or \"redis:7.*\""),
      Member("tags", &S::tags, Many(TagPattern()),
             "an image with such a tag stays, e.g. \"latest\" or \"prod-*\""),
      Member("lastPerRepository", &S::last_per_repository, Integer(0, kAny),
             "keep the newest N images of each repository in use, of each scheme of tags; images in "
             "use count toward N"),
      Member("localOnly", &S::local_only, LocalOnlyWords(),
             "how to treat images without evidence that they can be pulled again; a repo digest "
             "alone is none. Always: keep. UnlessSuperseded: remove once the node has a greater "
             "version of the same scheme of tags, which stays. Never: treat like any other image"),
      Member<S, VerifyRegistry>(
          "verifyRegistry", &S::verify_registry,
          Words<VerifyRegistry>({{"Never", VerifyRegistry::kNever},
                                 {"BeforeRemoval", VerifyRegistry::kBeforeRemoval}}),
          "BeforeRemoval: ask the registry right before an image is removed whether it has the "
          "image by its digest; every image stays that it does not confirm"),
      Member("unknown", &S::unknown, Boolean(), "what no rule selects stays"),
      Member("workloads", &S::workloads, WorkloadFields(),
             "what rollbacks, scale-ups and the next run of a CronJob will need"),
      Member("archive", &S::archive, ArchiveFields(),
             "where images without evidence that they can be pulled again are written to before they go"),
  });
}

CodecPtr<Window> WindowFields() {
  using S = Window;
  return ObjectOf<S>({
      Member("days", &S::days,
             Many(Words<Weekday>({{"Mon", Weekday::kMonday},
                                  {"Tue", Weekday::kTuesday},
                                  {"Wed", Weekday::kWednesday},
                                  {"Thu", Weekday::kThursday},
                                  {"Fri", Weekday::kFriday},
                                  {"Sat", Weekday::kSaturday},
                                  {"Sun", Weekday::kSunday}})),
             "on which it starts; empty: every day"),
      Required(Member("start", &S::start, TimeOfDay(), "when it starts, such as \"22:00\"")),
      Required(Member("end", &S::end, TimeOfDay(),
                      "when it ends; at or before the start: on the next day")),
      Member("timeZone", &S::time_zone, TimeZone(), "whose clock that is, such as Europe/Berlin"),
  });
}

CodecPtr<SizeLimit> SizeLimitFields() {
  using S = SizeLimit;
  return ObjectOf<S>({
      Required(Member("images", &S::images, ImagePattern(), "which images")),
      Required(Member("maxSize", &S::max_size, Quantity(), "how large they may be")),
  });
}

CodecPtr<Override> OverrideFields() {
  using S = Override;
  return ObjectOf<S>({
      Required(Member("nodeSelector", &S::node_selector, LabelSelector(),
                      "labels the node must have, all of them")),
      Required(Member("policy", &S::written, PolicyPatch(),
                      "the fields that are different there, as in the document itself")),
  });
}

CodecPtr<Reporting> ReportingFields() {
  using S = Reporting;
  return ObjectOf<S>({
      Member("storageCostPerGiBMonth", &S::storage_cost_per_gib_month, Decimal(),
             "what a GiB costs a month, for the reports' figure of what was saved; 0: not told"),
      Member("historyLimit", &S::history_limit, Integer(1, 10'000), "runs that are remembered"),
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
             "pause between two batches of removals: up to 50 images on containerd, up to four "
             "elsewhere, one where the disk has to be asked after each"),
      Member("maxFailures", &S::max_failures, Integer(1, kAny),
             "failed removals after which the run stops"),
      Member("confirmRuns", &S::confirm_runs, Integer(1, 100),
             "evaluations in a row that must want an image gone before the agent removes it; a "
             "command that a person gives needs one"),
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
          Member("windows", &S::windows, Many(WindowFields()),
                 "when removal is allowed; empty: always"),
          Member(
              "minimumAge", &S::minimum_age, kAge(),
              "an image is never removed before it was watched for this long without a use; what "
              "was not watched counts as a use"),
          Member(
              "maximumAge", &S::maximum_age, kAge(),
              "an image unused for longer than this is removed whatever the disk says; 0s = off"),
          Member(
              "removeDangling", &S::remove_dangling, Boolean(),
              "remove images that are known to have lost their tag, or have no name at all; never "
              "what may have been pulled by digest"),
          Member(
              "removeSuperseded", &S::remove_superseded, Boolean(),
              "remove images behind the newest lastPerRepository of their repository, among tags "
              "of one scheme"),
          Member("diskUsage", &S::disk, DiskFields(),
                 "use of the image filesystem; the kubelet acts at 85 and stops at 80, so stay "
                 "below"),
          Member("keep", &S::keep, KeepFields(), "images that stay"),
          Member(
              "rules", &S::rules, Many(RuleFields()),
              "the first rule that selects a name decides for it; an image goes only when all its "
              "names may"),
          Member("limits", &S::limits, LimitFields(), "of one run"),
          Member("sizeLimits", &S::size_limits, Many(SizeLimitFields()),
                 "images larger than they should be: reported, never removed for it"),
          Member("overrides", &S::overrides, Many(OverrideFields()),
                 "by node labels, for canaries and pools; the first that selects the node holds"),
          Member("reporting", &S::reporting, ReportingFields(), "of reports and history"),
      },
      {{"minimumAge", "maximumAge", false, [](const S& policy) {
          return policy.maximum_age == Millis::zero() || policy.minimum_age <= policy.maximum_age;
        }}});
}

}  // namespace

std::vector<ItemTable> ItemTables() {
  return {{"rules", "Rules", RuleFields()->Rows({}, "rules[]", 0)},
          {"windows", "Windows", WindowFields()->Rows({}, "windows[]", 0)},
          {"sizeLimits", "Size limits", SizeLimitFields()->Rows({}, "sizeLimits[]", 0)},
          {"overrides", "Overrides", OverrideFields()->Rows({}, "overrides[]", 0)}};
}

const Codec<Policy>& PolicyFields() {
  static const CodecPtr<Policy> fields = MakePolicyFields();
  return *fields;
}

}  // namespace imagesweep
