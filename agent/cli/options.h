#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/model/policy.h"
#include "agent/report/log.h"

namespace imagesweep {

enum ExitCode : int { kExitDone = 0, kExitFailed = 1, kExitUsage = 2 };

enum class Output { kTable, kWide, kJson, kYaml, kName, kMarkdown };

// Where the cluster's workloads are read from, for keep.workloads.
enum class WorkloadsFrom { kOff, kDirect, kIndex };

// Who gets the status page and its JSON.
enum class StatusPage { kOff, kLoopback, kAll };

// Everything the command line can say; a flag beats its environment variable, which beats the
// default.
struct Options {
  std::string runtime_endpoint;
  std::string host_prefix;  // where the host's root is mounted in our file system, for detection
  std::string kubelet_dir = "/var/lib/kubelet";  // its records of pulls; empty: not read
  std::string kubeconfig;
  std::string node_name;
  std::string policy_file;
  std::string policy_configmap;  // NAMESPACE/NAME
  std::string policy_key = "policy.yaml";
  std::string policy_override_configmap;  // NAMESPACE/NAME; replaces it while it exists
  std::string state_dir = "/var/lib/imagesweep";
  bool count_unwatched = false;       // time that nobody watched counts toward ages
  std::optional<Millis> minimum_age;  // in place of every minimumAge of the policy
  std::string listen_address = ":8080";
  std::string policy_origin = "configmap";  // what the ConfigMap is, for metrics: chart, existing
  Millis timeout = std::chrono::minutes(2);
  std::string log_level = "info";
  std::string image;            // explain, restore
  std::string policy_to_check;  // policy validate
  std::string run;              // report, restore: the run's id or its beginning; empty: the last
  std::string pull_secret;      // restore, keep.verifyRegistry: a dockerconfigjson
  std::string archive_dir;      // restore: empty: the policy file's, else below the state directory
  int parallel = 3;             // restore: pulls at once
  int min_available = 15;       // restore: percent of the image filesystem that stays available
  std::uint64_t room = 0;       // ensure-space: bytes
  Millis watch_every = std::chrono::seconds(5);
  std::vector<std::string> compare;     // analyze: two files, before and after; else empty
  std::size_t limit = 10;               // analyze --layers: rows of each table
  std::vector<std::string> if_removed;  // df: images that are thought away
  // Downward API; set together inside a pod.
  std::string pod_name, pod_namespace, pod_uid;
  StatusPage status_page = StatusPage::kLoopback;
  std::optional<LogFormat> log_format;  // empty: the command's own default
  Output output = Output::kTable;
  // Empty: not told; then they are read from the API server when the policy asks for them.
  std::optional<WorkloadsFrom> workloads;
  std::string index_name = "imagesweep";  // of --workloads=index: NAME or NAMESPACE/NAME
  std::optional<Profile> try_profile;     // plan: a profile in place of the policy's own
  bool without_kubernetes = false;
  bool read_kubelet = false;
  bool events = true;  // on the Node
  std::optional<bool> dry_run;
  bool no_headers = false;
  bool quiet = false;   // no progress
  bool layers = false;  // analyze: how images share them
  bool diff = false;    // plan: only what would be different
};

}  // namespace imagesweep
