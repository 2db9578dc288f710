#include "agent/policy/fields.h"

#include <limits>

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
             "at or above this much use, of bytes or inodes, younger images and rollback room may "
             "go too, and windows do not hold; the protections do; 0 = off"),
      Member("minimumAge", &S::minimum_age, kAge(), "in place of minimumAge then, if shorter"),
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
      Member<S, TagStatus>(
          "tagStatus", &S::tag_status,
          Words<TagStatus>({{"Any", TagStatus::kAny},
                            {"Tagged", TagStatus::kTagged},
                            {"Untagged", TagStatus::kUntagged}}),
          "whether names with or without a tag are meant; not Untagged with action Untag"),
  });
}

CodecPtr<Rule> RuleFields() {
  using S = Rule;
  const auto untags = [](const S& rule) { return rule.action == RuleAction::kUntag; };
  return ObjectOf<S>(
      {Member("name", &S::name, Word(), "how reports call it"),
       Member("selector", &S::selector, SelectorFields(), "which names it decides for"),
       Member<S, RuleAction>(
           "action", &S::action,
           Words<RuleAction>({{"Keep", RuleAction::kKeep},
                              {"Remove", RuleAction::kRemove},
                              {"Evaluate", RuleAction::kEvaluate},
                              {"Untag", RuleAction::kUntag}}),
           "Keep: stays; Remove: goes as soon as no protection holds it; Evaluate: is judged with "
           "the rule's own numbers; Untag: the tag goes, and its image, which is judged as if the "
           "rule were "
           "not there, keeps another of that repository"),
       Member(
           "keepLast", &S::keep_last, Maybe(Integer(0, kAny)),
           "the newest so many of each repository stay, among what the rule selects; with Untag, "
           "the tags on them"),
       Member("minimumAge", &S::minimum_age, Maybe(kAge()),
              "in place of the policy's; with Untag, how long nothing must have named the tag"),
       Member("maximumAge", &S::maximum_age, Maybe(kAge()),
              "in place of the policy's; not with Untag")},
      {},
      {{"selector.tagStatus",
        "must not be so with action Untag: names without a tag have none to drop", "Untagged",
        [untags](const S& rule) {
          return untags(rule) && rule.selector.tag_status == TagStatus::kUntagged;
        }},
       {"maximumAge", "must not be written with action Untag: a tag goes by minimumAge alone", "",
        [untags](const S& rule) { return untags(rule) && rule.maximum_age.has_value(); }}});
}

CodecPtr<KeepWorkloads> WorkloadFields() {
  using S = KeepWorkloads;
  return ObjectOf<S>({
      Member("enabled", &S::enabled, Boolean(),
             "images stay that the cluster's workloads will start again, also where no pod of "
             "theirs is; the agent must be able to read workloads, or every run refuses"),
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
      Member("workloads", &S::workloads, WorkloadFields(),
             "what rollbacks, scale-ups and the next run of a CronJob will need"),
      Member("archive", &S::archive, ArchiveFields(),
             "where images that no registry is known for are written to before they go"),
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
