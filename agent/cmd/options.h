#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/model/policy.h"
#include "agent/telemetry/log.h"

namespace imagesweep {

enum ExitCode : int { kExitDone = 0, kExitFailed = 1, kExitUsage = 2 };

enum class Output { kTable, kWide, kJson, kYaml, kName, kMarkdown };

// The source of the cluster's workloads, for keep.workloads.
enum class WorkloadsFrom { kOff, kDirect, kIndex };

// The clients that may read the status page and its JSON.
enum class StatusPage { kOff, kLoopback, kAll };

// The parsed command line.  A flag overrides its environment variable, which overrides the default.
struct Options {
  // Empty: auto-detected.  Only `report` accepts several.
  std::vector<std::string> runtime_endpoints;
  std::string host_prefix;  // mount point of the host's root in this file system, for detection
  std::string kubelet_dir = "/var/lib/kubelet";  // for its pull records; empty: not read
  std::string kubeconfig;
  std::string node_name;
  std::string policy_file;
  std::string policy_configmap;  // NAMESPACE/NAME
  std::string policy_key = "policy.yaml";
  std::string policy_override_configmap;  // NAMESPACE/NAME; replaces it while it exists
  std::string state_dir = "/var/lib/imagesweep";
  bool count_unwatched = false;       // unwatched time counts toward ages
  std::optional<Millis> minimum_age;  // replaces every minimumAge of the policy
  std::string listen_address = ":8080";
  std::string policy_origin = "configmap";  // origin of the ConfigMap in metrics: chart, existing
  Millis timeout = std::chrono::minutes(2);
  std::string log_level = "info";
  std::string image;            // explain, restore
  std::string policy_to_check;  // policy validate: a file, or - for standard input
  std::string run;              // report, restore: run ID or prefix; empty: the last
  std::string pull_secret;      // restore, keep.verifyRegistry: a dockerconfigjson
  std::string archive_dir;      // restore; empty: by the policy file, or below the state directory
  int parallel = 3;             // restore: pulls at once
  int min_available = 15;       // restore: percent of the image filesystem that stays available
  std::uint64_t free_space_target = 0;  // ensure-space: bytes
  Millis watch_every = std::chrono::seconds(5);
  std::vector<std::string> names;       // images: patterns, names, and IDs; empty: all
  std::vector<std::string> filters;     // images: valid filters
  std::string sort = "name";            // images: a key, with "-" in descending order
  std::vector<std::string> compare;     // analyze: two files, before and after, or empty
  std::size_t limit = 10;               // analyze --layers: rows per table
  std::vector<std::string> if_removed;  // df: images to treat as removed
  // Downward API; set together inside a pod.
  std::string pod_name, pod_namespace, pod_uid;
  StatusPage status_page = StatusPage::kLoopback;
  std::optional<LogFormat> log_format;  // empty: the default of the command
  Output output = Output::kTable;
  // Empty: read from the API server if the policy needs workloads.
  std::optional<WorkloadsFrom> workloads;
  std::string index_name = "imagesweep";  // of --workloads=index: NAME or NAMESPACE/NAME
  std::optional<Profile> try_profile;     // plan: replaces the profile of the policy
  bool without_kubernetes = false;
  bool read_kubelet = false;
  bool events = true;  // on the Node
  std::optional<bool> dry_run;
  bool no_headers = false;
  bool quiet = false;    // no progress; images: only IDs
  bool reverse = false;  // images: reverses the order
  bool layers = false;   // analyze: analyze layers
  bool diff = false;     // plan: only differences
};

}  // namespace imagesweep
