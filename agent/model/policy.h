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

// What happens to images without evidence that they can be pulled again (Image::local_only).
enum class LocalOnly {
  kAlways,            // kept
  kUnlessSuperseded,  // kept while this node has no newer version of it
  kNever,             // treated like any other image
};

// Presets for what a policy does not write.
enum class Profile { kConservative, kBalanced, kAggressive };

std::string_view ToString(Profile profile);  // "Balanced"

// Whether a registry is asked, right before an image goes, if it still has it.
enum class VerifyRegistry {
  kNever,
  kBeforeRemoval,  // HEAD of the manifest by digest; any failure keeps the image
};

enum class TagStatus { kAny, kTagged, kUntagged };

// Which names a rule is about.
struct Selector {
  std::vector<ImageGlob> images;  // empty: every repository
  std::vector<std::string> tags;  // globs; empty: every tag, and names without one
  TagStatus tag_status = TagStatus::kAny;
};

enum class RuleAction {
  kKeep,      // stays
  kRemove,    // goes, unless a protection or the minimum age holds it
  kEvaluate,  // is judged like others, with the rule's own numbers
};

// The first rule that selects a name decides for it.
struct Rule {
  std::string name;
  Selector selector;
  RuleAction action = RuleAction::kEvaluate;
  std::optional<int> keep_last;       // of each repository, among what the rule selects
  std::optional<Millis> minimum_age;  // in place of the policy's
  std::optional<Millis> maximum_age;
  std::optional<LocalOnly> local_only;  // in place of keep.localOnly
};

// In whole percent of the image filesystem; kubelet's words and arithmetic.
struct Marks {
  int high_percent = 75;  // at or above: images go, least recently used first; 0 = off
  int low_percent = 65;   // … until at or below

  friend bool operator==(const Marks&, const Marks&) = default;
};

// When the node is about to suffer: then images that only minimumAge or lastPerRepository of the
// policy keeps may go too, windows or not.  No protection falls, and no rule's own numbers.
struct Critical {
  int threshold_percent = 0;  // of bytes or inodes; 0 = off
  Millis minimum_age = std::chrono::minutes(5);
};

// Its own marks are of bytes.
struct DiskThresholds : Marks {
  Marks inodes;
  Critical critical;
};

// Images larger than they should be: reported, never removed for it.
struct SizeLimit {
  ImageGlob images;
  std::uint64_t max_size = 0;
};

// What the cluster's workloads will need again: rollbacks, scale-ups, the next run of a CronJob.
struct KeepWorkloads {
  bool enabled = false;        // a document's default is true, see Policy::Default()
  int rollback_revisions = 2;  // of each workload, besides the one it runs now
  bool scaled_to_zero = true;
  bool cron_jobs = true;

  friend bool operator==(const KeepWorkloads&, const KeepWorkloads&) = default;
};

// Where images that cannot be pulled again are written to before they go.
struct Archive {
  std::string path;  // a directory; empty: off
  std::uint64_t max_size = std::uint64_t{10} << 30;

  friend bool operator==(const Archive&, const Archive&) = default;
};

struct KeepRules {
  std::vector<ImageGlob> images;  // always win; default ["localhost/**"]
  std::vector<std::string> tags;  // tag globs: an image with such a tag stays
  int last_per_repository = 2;    // newest N of each repository in use; those in use count inside
  LocalOnly local_only = LocalOnly::kAlways;
  VerifyRegistry verify_registry = VerifyRegistry::kNever;
  bool unknown = false;  // true: what no rule selects stays
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
  int confirm_runs = 2;  // evaluations in a row that must want an image gone; commands: 1
};

struct Reporting {
  double storage_cost_per_gib_month = 0;  // in whatever currency; 0: not told
  int history_limit = 50;                 // runs that are remembered
};

struct Policy;

// Another policy for nodes with certain labels.
struct Override {
  std::map<std::string, std::string> node_selector;  // labels the node must have, all of them
  std::string written;                               // what it changes, as one line of YAML
  std::shared_ptr<const Policy> policy;              // the whole with the change
};

// Labels of one node.
using NodeLabels = std::map<std::string, std::string>;

// The admin's wishes, valid as a whole: policy/ builds it from YAML or not at all.  The defaults
// here are the only ones; documents and `policy defaults` are made from them.
struct Policy {
  bool dry_run = true;
  bool suspend = false;
  Profile profile = Profile::kBalanced;
  Millis interval = std::chrono::minutes(15);
  Millis initial_delay = std::chrono::minutes(5);
  int jitter_percent = 20;
  std::vector<Window> windows;  // when removal is allowed; empty = always
  Millis minimum_age = std::chrono::hours(1);
  Millis maximum_age = std::chrono::hours(336);  // 0 = off
  bool remove_dangling = true;
  bool remove_superseded = true;  // older than the newest last_per_repository of their repository
  DiskThresholds disk;
  KeepRules keep;
  std::vector<Rule> rules;
  Limits limits;
  std::vector<SizeLimit> size_limits;
  std::vector<Override> overrides;  // the first that selects the node holds
  Reporting reporting;

  // Policy with every default of a profile, keep.images and keep.workloads included.
  static Policy Default(Profile profile = Profile::kBalanced);

  // The override that holds on a node with these labels; null: none, the policy itself does.
  const Override* OverrideFor(const NodeLabels& labels) const;
};

// Where the policy in force came from, for reports and metrics.
struct PolicySource {
  std::string description;  // "configmap/imagesweep-system/imagesweep-policy", "file:…", "defaults"
  std::string sha256;       // first 12 hexadecimal digits of the text's hash; empty for defaults
};

}  // namespace imagesweep
