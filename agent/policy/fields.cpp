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
OrderingConstraint<S> LowBelowHigh() {
  return {"lowThresholdPercent", "highThresholdPercent", true, [](const S& thresholds) {
            return thresholds.high_percent == 0 || thresholds.low_percent < thresholds.high_percent;
          }};
}

constexpr const char* kHighMeans =
    "Start removing images, least recently used first, at or above this usage in percent. 0 "
    "disables it.";
constexpr const char* kLowMeans = "Stop removing images at or below this usage in percent";

CodecPtr<Thresholds> InodeFields() {
  using S = Thresholds;
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
             "At or above this usage of bytes or inodes in percent, also remove images that stay "
             "only because of minimumAge or keep.lastPerRepository, and ignore windows. "
             "Protections, and minimumAge and keepLast of rules, still apply. 0 disables it."),
      Member("minimumAge", &S::minimum_age, kAge(),
             "Minimum age during critical usage, if shorter than minimumAge of the policy"),
  });
}

CodecPtr<DiskThresholds> DiskFields() {
  using S = DiskThresholds;
  return ObjectOf<S>(
      {
          Member<S, int>("highThresholdPercent", &S::high_percent, kPercent(), kHighMeans),
          Member<S, int>("lowThresholdPercent", &S::low_percent, kPercent(), kLowMeans),
          Member("inodes", &S::inodes, InodeFields(), "Thresholds for inodes"),
          Member("critical", &S::critical, CriticalFields(), "Settings for critical disk usage"),
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
      Member("images", &S::images, Many(ImagePattern()),
             "Repositories to select. Empty selects all."),
      Member("tags", &S::tags, Many(TagPattern()),
             "Tags to select. Empty selects all tags and names without a tag."),
      Member<S, TagStatus>("tagStatus", &S::tag_status,
                           Words<TagStatus>({{"Any", TagStatus::kAny},
                                             {"Tagged", TagStatus::kTagged},
                                             {"Untagged", TagStatus::kUntagged}}),
                           "Select names with a tag, without a tag, or both"),
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
      {Member("name", &S::name, Word(), "Name of the rule in reports"),
       Member("selector", &S::selector, SelectorFields(), "Image names that the rule selects"),
       Member<S, RuleAction>(
           "action", &S::action,
           Words<RuleAction>(
               {{"Keep", RuleAction::kKeep},
                {"Remove", RuleAction::kRemove},
                {"Evaluate", RuleAction::kEvaluate}},
               {{"Untag",
                 "this action no longer exists, because a tag alone frees no space; delete "
                 "the rule: a tag is removed with its image"}}),
           "Keep: keep the image. Remove: remove the image as soon as no protection applies. "
           "Evaluate: apply the settings of the rule."),
       Member("keepLast", &S::keep_last, Maybe(Integer(0, kAny)),
              "Keep the newest N images of each repository and tag scheme among the images that "
              "the rule selects"),
       Member("minimumAge", &S::minimum_age, Maybe(kAge()), "Replaces minimumAge of the policy"),
       Member("maximumAge", &S::maximum_age, Maybe(kAge()), "Replaces maximumAge of the policy"),
       Member("localOnly", &S::local_only, Maybe(LocalOnlyWords()),
              "Replaces keep.localOnly. An image with several names is removed only if all of its "
              "names permit it.")});
}

CodecPtr<KeepWorkloads> WorkloadFields() {
  using S = KeepWorkloads;
  return ObjectOf<S>({
      Member("enabled", &S::enabled, Boolean(),
             "Keep images that workloads of the cluster start again, also on nodes without a pod "
             "of these workloads. While the workloads cannot be read, every run aborts. The "
             "field has no effect on a host without a cluster."),
      Member("rollbackRevisions", &S::rollback_revisions, Integer(0, kAny),
             "Number of revisions before the current one, per workload, whose images are kept for "
             "a rollback"),
      Member("scaledToZero", &S::scaled_to_zero, Boolean(),
             "Keep images of workloads without replicas and of their previous revisions"),
      Member("cronJobs", &S::cron_jobs, Boolean(),
             "Keep images that the next run of a CronJob starts"),
  });
}

CodecPtr<Archive> ArchiveFields() {
  using S = Archive;
  return ObjectOf<S>({
      Member("path", &S::path, DirectoryPath(),
             "Archive directory as the agent sees it (in the chart: /state/archive). Empty "
             "disables it."),
      Member("maxSize", &S::max_size, Quantity(), "Maximum size of the archive directory"),
  });
}

CodecPtr<KeepRules> KeepFields() {
  using S = KeepRules;
  return ObjectOf<S>({
      Member("images", &S::images, Many(ImagePattern()),
             "Always keep images with one of these names, such as \"shop/**\" or \"redis:7.*\""),
      Member("tags", &S::tags, Many(TagPattern()),
             "Keep images with one of these tags, such as \"latest\" or \"prod-*\""),
      Member("lastPerRepository", &S::last_per_repository, Integer(0, kAny),
             "Keep the newest N images of each repository in use. Images in use count toward N."),
      Member("localOnly", &S::local_only, LocalOnlyWords(),
             "How to treat images without evidence that they can be pulled again. Always: keep. "
             "UnlessSuperseded: remove once a newer version of the same tag scheme is kept. Never: "
             "treat like any other image."),
      Member<S, VerifyRegistry>(
          "verifyRegistry", &S::verify_registry,
          Words<VerifyRegistry>({{"Never", VerifyRegistry::kNever},
                                 {"BeforeRemoval", VerifyRegistry::kBeforeRemoval}}),
          "BeforeRemoval: ask the registry for the digest of each image right before its removal, "
          "and keep the image unless the registry confirms the digest. Never: do not ask."),
      Member("unknown", &S::unknown, Boolean(), "Keep images that no rule selects"),
      Member("workloads", &S::workloads, WorkloadFields(),
             "Images that rollbacks, scale-ups, and the next runs of CronJobs need"),
      Member("archive", &S::archive, ArchiveFields(),
             "Archive to which images that cannot be pulled again are written before removal"),
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
             "Days on which the window starts. Empty means every day."),
      Required(Member("start", &S::start, TimeOfDay(),
                      "Time at which the window starts, such as \"22:00\"")),
      Required(
          Member("end", &S::end, TimeOfDay(),
                 "Time at which the window ends, on the next day if it is not later than start")),
      Member("timeZone", &S::time_zone, TimeZone(),
             "Time zone of start and end, such as Europe/Berlin"),
  });
}

CodecPtr<SizeLimit> SizeLimitFields() {
  using S = SizeLimit;
  return ObjectOf<S>({
      Required(Member("images", &S::images, ImagePattern(), "Images to which the limit applies")),
      Required(Member("maxSize", &S::max_size, Quantity(), "Maximum size of an image")),
  });
}

CodecPtr<Override> OverrideFields() {
  using S = Override;
  return ObjectOf<S>({
      Required(Member("nodeSelector", &S::node_selector, LabelSelector(),
                      "Labels that the node must have, all of them")),
      Required(Member("policy", &S::written, PolicyPatch(),
                      "Fields that replace those of the policy on the selected nodes")),
  });
}

CodecPtr<Reporting> ReportingFields() {
  using S = Reporting;
  return ObjectOf<S>({
      Member("storageCostPerGiBMonth", &S::storage_cost_per_gib_month, Decimal(),
             "Cost of a GiB per month, for the savings in reports. 0 omits the savings."),
      Member("historyLimit", &S::history_limit, Integer(1, 10'000),
             "Number of runs to keep in the history"),
  });
}

CodecPtr<Limits> LimitFields() {
  using S = Limits;
  return ObjectOf<S>({
      Member("maxImages", &S::max_images, Integer(0, kAny), "Maximum number of images to remove"),
      Member("maxBytes", &S::max_bytes, Quantity(),
             "Maximum number of bytes to remove, by the sizes that the runtime reports. 0 means no "
             "limit."),
      Member("maxPercentOfImages", &S::max_percent_of_images, kPercent(),
             "Maximum percentage of the images of the node to remove"),
      Member(
          "removalDelay", &S::removal_delay, Duration(Millis::zero(), hours(1)),
          "Pause between two batches of removals. A batch has at most 50 images on containerd "
          "and at most four on other runtimes. It has one image if disk usage must be read after "
          "each removal."),
      Member("maxFailures", &S::max_failures, Integer(1, kAny),
             "Number of failed removals after which the run stops"),
      Member("confirmRuns", &S::confirm_runs, Integer(1, 100),
             "Number of consecutive evaluations that must select an image before the agent removes "
             "it. Commands need only one."),
  });
}

CodecPtr<Policy> MakePolicyFields() {
  using S = Policy;
  return ObjectOf<S>(
      {
          Constant<S>("apiVersion", "imagesweep/v1alpha1", "Version of the policy format"),
          Constant<S>("kind", "SweepPolicy", "Kind of the document"),
          Member("dryRun", &S::dry_run, Boolean(), "Evaluate and report, but remove nothing"),
          Member("suspend", &S::suspend, Boolean(), "Suspend all removals, for emergencies"),
          Member<S, Profile>("profile", &S::profile,
                             Words<Profile>({{"Conservative", Profile::kConservative},
                                             {"Balanced", Profile::kBalanced},
                                             {"Aggressive", Profile::kAggressive}}),
                             "Preset for the fields that are not set. See Profiles."),
          Member("interval", &S::interval, Duration(minutes(1), hours(24)),
                 "Time between two runs"),
          Member("initialDelay", &S::initial_delay, Duration(Millis::zero(), hours(24)),
                 "Time after the start of the agent in which it removes nothing"),
          Member("jitterPercent", &S::jitter_percent, kPercent(),
                 "Percentage of the interval by which runs are spread, so that nodes do not run at "
                 "the same time"),
          Member("windows", &S::windows, Many(WindowFields()),
                 "Times at which removal is allowed. Empty means always."),
          Member(
              "minimumAge", &S::minimum_age, kAge(),
              "Keep an image until it has been watched for this long without a use. Unwatched time "
              "counts as a use."),
          Member("maximumAge", &S::maximum_age, kAge(),
                 "Remove an image that is unused for longer than this, regardless of disk usage. "
                 "0s disables it."),
          Member("removeDangling", &S::remove_dangling, Boolean(),
                 "Remove images that have lost their tag or have no name, but never images that "
                 "may have been pulled by digest"),
          Member(
              "removeSuperseded", &S::remove_superseded, Boolean(),
              "Remove images that are older than the newest keep.lastPerRepository images of their "
              "repository and tag scheme"),
          Member("diskUsage", &S::disk, DiskFields(),
                 "Thresholds for usage of the image filesystem. The kubelet starts its own image "
                 "garbage collection at 85 and stops at 80, so use lower values."),
          Member("keep", &S::keep, KeepFields(), "Images to keep"),
          Member(
              "rules", &S::rules, Many(RuleFields()),
              "Rules by image name. The first rule that selects a name applies to it. An image is "
              "removed only if all of its names permit it."),
          Member("limits", &S::limits, LimitFields(), "Limits of one run"),
          Member("sizeLimits", &S::size_limits, Many(SizeLimitFields()),
                 "Size limits by image name. Larger images are reported, but not removed for their "
                 "size."),
          Member("overrides", &S::overrides, Many(OverrideFields()),
                 "Overrides by node labels, for canaries and node pools. The first one that "
                 "selects the node applies."),
          Member("reporting", &S::reporting, ReportingFields(),
                 "Settings for reports and the history"),
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
