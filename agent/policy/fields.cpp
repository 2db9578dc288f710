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

CodecPtr<KeepRules> KeepFields() {
  using S = KeepRules;
  return ObjectOf<S>({
      Member<S, std::vector<ImageGlob>>(
          "images", &S::images, std::make_shared<ListOf<ImageGlob>>(ImagePattern()),
          "image names that stay whatever else is said, e.g. \"shop/**\" or \"redis:7.*\""),
      Member<S, std::vector<std::string>>(
          "tags", &S::tags, std::make_shared<ListOf<std::string>>(TagPattern()),
          "an image with such a tag stays, e.g. \"latest\" or \"prod-*\""),
      Member<S, LocalOnly>(
          "localOnly", &S::local_only,
          std::make_shared<Choice<LocalOnly>>(std::vector<std::pair<std::string, LocalOnly>>{
              {"Always", LocalOnly::kAlways}, {"Never", LocalOnly::kNever}}),
          "whether images stay that no registry is known for (no repo digest), "
          "so that they cannot be pulled again"),
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
          Member("diskUsage", &S::disk, DiskFields(),
                 "use of the image filesystem; the kubelet acts at 85 and stops at 80, so stay "
                 "below"),
          Member("keep", &S::keep, KeepFields(), "images that stay"),
          Member("limits", &S::limits, LimitFields(), "of one run"),
      },
      {{"minimumAge", "maximumAge", false, [](const S& policy) {
          return policy.maximum_age == Millis::zero() || policy.minimum_age <= policy.maximum_age;
        }}});
}

}  // namespace

const Codec<Policy>& PolicyFields() {
  static const CodecPtr<Policy> fields = MakePolicyFields();
  return *fields;
}

}  // namespace imagesweep
