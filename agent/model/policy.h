#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.h"
#include "agent/model/glob.h"
#include "agent/model/window.h"

namespace imagesweep {

// The treatment of images without evidence that they can be pulled again (Image::local_only).
enum class LocalOnly {
  kAlways,            // kept
  kUnlessSuperseded,  // kept while this node has no newer version of it
  kNever,             // treated like any other image
};

// Presets for the fields that a policy does not set.
enum class Profile { kConservative, kBalanced, kAggressive };

std::string_view ToString(Profile profile);  // "Balanced"

// Whether the registry must confirm an image right before its removal.
enum class VerifyRegistry {
  kNever,
  kBeforeRemoval,  // HEAD of the manifest by digest; any failure keeps the image
};

enum class TagStatus { kAny, kTagged, kUntagged };

// The names that a rule selects.
struct Selector {
  std::vector<ImageGlob> images;  // empty: every repository
  std::vector<std::string> tags;  // globs; empty: every tag, and names without one
  TagStatus tag_status = TagStatus::kAny;
};

enum class RuleAction {
  kKeep,      // keep the image
  kRemove,    // remove it, unless a code before Rule in VerdictRules() keeps it
  kEvaluate,  // evaluate it like others, with the numbers of the rule
};

// The first rule that selects a name decides for it.
struct Rule {
  std::string name;
  Selector selector;
  RuleAction action = RuleAction::kEvaluate;
  std::optional<int> keep_last;       // of each repository, among the names that the rule selects
  std::optional<Millis> minimum_age;  // overrides the policy's
  std::optional<Millis> maximum_age;
  std::optional<LocalOnly> local_only;  // overrides keep.localOnly
};

// In whole percent of the image filesystem, with the kubelet's names and arithmetic.
struct Thresholds {
  int high_percent = 75;  // at or above: remove images, least recently used first; 0 = disabled
  int low_percent = 65;   // until at or below

  friend bool operator==(const Thresholds&, const Thresholds&) = default;
};

// The disk use at which images that only minimumAge or lastPerRepository of the policy keeps are
// removed as well, also outside of windows.  Protections and the numbers of rules still apply.
struct Critical {
  int threshold_percent = 0;  // of bytes or inodes; 0 = disabled
  Millis minimum_age = std::chrono::minutes(5);
};

// The inherited thresholds are of bytes.
struct DiskThresholds : Thresholds {
  Thresholds inodes;
  Critical critical;
};

// A size above which images are reported.  They are not removed for their size.
struct SizeLimit {
  ImageGlob images;
  std::uint64_t max_size = 0;
};

// The images that the cluster's workloads need again: for a rollback, a scale-up, the next run of a
// CronJob.
struct KeepWorkloads {
  bool enabled = false;        // the default in a document is true, see Policy::Default()
  int rollback_revisions = 2;  // of each workload, in addition to the current revision
  bool scaled_to_zero = true;
  bool cron_jobs = true;

  friend bool operator==(const KeepWorkloads&, const KeepWorkloads&) = default;
};

// The archive for images that cannot be pulled again, written before their removal.
struct Archive {
  std::string path;  // a directory; empty: disabled
  std::uint64_t max_size = std::uint64_t{10} << 30;

  friend bool operator==(const Archive&, const Archive&) = default;
};

struct KeepRules {
  std::vector<ImageGlob> images;  // take precedence over rules; default ["localhost/**"]
  std::vector<std::string> tags;  // tag globs: an image with such a tag stays
  int last_per_repository = 2;    // newest N of each repository in use; images in use count
  LocalOnly local_only = LocalOnly::kAlways;
  VerifyRegistry verify_registry = VerifyRegistry::kNever;
  bool unknown = false;  // true: images that no rule selects stay
  KeepWorkloads workloads;
  Archive archive;
};

// Per run.
struct Limits {
  int max_images = 50;
  std::uint64_t max_bytes = 0;  // sum of the runtime's sizes; 0 = no limit
  int max_percent_of_images = 50;
  Millis removal_delay{200};
  int max_failures = 5;
  int confirm_runs = 2;  // evaluations in a row that must select an image; commands: 1
};

struct Reporting {
  double storage_cost_per_gib_month = 0;  // in any currency; 0: not shown
  int history_limit = 50;                 // runs in the history
};

struct Policy;

// Another policy for nodes with certain labels.
struct Override {
  std::map<std::string, std::string> node_selector;  // labels that the node must have
  std::string written;                               // the changes, as one line of YAML
  std::shared_ptr<const Policy> policy;              // the whole policy with the changes
};

// Labels of one node.
using NodeLabels = std::map<std::string, std::string>;

// A valid policy: policy/ builds it from YAML, or returns an error.  The values here are those of
// the profile Balanced.  Policy::Default() changes them for other profiles, and sets keep.images
// and keep.workloads.  Documents and `policy defaults` use Policy::Default().
struct Policy {
  bool dry_run = true;
  bool suspend = false;
  Profile profile = Profile::kBalanced;
  Millis interval = std::chrono::minutes(15);
  Millis initial_delay = std::chrono::minutes(5);
  int jitter_percent = 20;
  std::vector<Window> windows;  // times in which removal is allowed; empty = always
  Millis minimum_age = std::chrono::hours(1);
  Millis maximum_age = std::chrono::hours(336);  // 0 = disabled
  bool remove_dangling = true;
  bool remove_superseded = true;  // older than the newest last_per_repository of their repository
  DiskThresholds disk;
  KeepRules keep;
  std::vector<Rule> rules;
  Limits limits;
  std::vector<SizeLimit> size_limits;
  std::vector<Override> overrides;  // the first that selects the node applies
  Reporting reporting;

  // A policy with all defaults of a profile, including keep.images and keep.workloads.
  static Policy Default(Profile profile = Profile::kBalanced);

  // The override that applies to a node with these labels.  Null: none, the policy itself applies.
  const Override* OverrideFor(const NodeLabels& labels) const;
};

// The source of the policy in force, for reports and metrics.
struct PolicySource {
  std::string description;  // "configmap/imagesweep-system/imagesweep-policy", "file:…", "defaults"
  std::string sha256;       // first 12 hexadecimal digits of the text's hash; empty for defaults
};

}  // namespace imagesweep
