#pragma once

#include <array>
#include <vector>

#include "agent/base/process_usage.h"

// The declarations of the agent's own series.

namespace imagesweep::series {

struct Declared {
  const char* name;
  const char* help;  // the text of # HELP
};

inline constexpr Declared kBuildInfo{"imagesweep_build_info",
                                     "Version and revision of the program; always 1."};
inline constexpr Declared kRuns{"imagesweep_runs_total", "Runs, by trigger and result."};
inline constexpr Declared kRunSeconds{"imagesweep_run_duration_seconds", "Duration of runs."};
inline constexpr Declared kLastSuccess{"imagesweep_last_run_success_timestamp_seconds",
                                       "Unix time at which the last run ended that did not abort."};
inline constexpr Declared kRemovals{"imagesweep_image_removals_total",
                                    "Images removed, by reason and result. Dry runs do not count."};
inline constexpr Declared kReclaimed{
    "imagesweep_reclaimed_bytes_total",
    "Bytes freed. predicted: by the layers or, if they cannot be read, the sizes of the removed "
    "images without regard to shared layers. measured: by statvfs before and after runs, including "
    "writes by other processes."};
inline constexpr Declared kPredictionErrors{
    "imagesweep_reclaim_prediction_errors_total",
    "Runs in which the freed space differed by more than 1 % and 1 MiB from an exact prediction by "
    "the layers. Other processes also write to the disk."};
inline constexpr Declared kImages{"imagesweep_images", "Images at the last evaluation, by state."};
inline constexpr Declared kImageBytes{
    "imagesweep_image_bytes",
    "Sizes of images as the runtime reports them at the last evaluation, by state."};
inline constexpr Declared kOversized{
    "imagesweep_size_limits_exceeded",
    "Images that exceed sizeLimits of the policy at the last evaluation."};
inline constexpr Declared kFsSize{"imagesweep_image_filesystem_size_bytes",
                                  "Size of the image filesystem."};
inline constexpr Declared kFsAvail{"imagesweep_image_filesystem_avail_bytes",
                                   "Bytes available on the image filesystem."};
inline constexpr Declared kDryRun{"imagesweep_dry_run", "1 if runs on this node are dry runs."};
inline constexpr Declared kSuspended{"imagesweep_suspended",
                                     "1 if the policy is suspended on this node."};
inline constexpr Declared kPolicyInfo{
    "imagesweep_policy_info",
    "The policy in force, one series at a time; always 1. source: none, "
    "chart, override, existing, configmap or file."};
inline constexpr Declared kReloadOk{"imagesweep_config_last_reload_successful",
                                    "1 if the newest policy text is valid and in force, and it was "
                                    "read within the last two minutes."};
inline constexpr Declared kUnread{
    "imagesweep_config_unread_seconds",
    "Time since the policy in force was last confirmed by its source. From 300 on, runs abort. 0 "
    "without a policy."};
inline constexpr Declared kReloadTime{"imagesweep_config_last_reload_success_timestamp_seconds",
                                      "Unix time at which the agent last loaded a valid policy."};
inline constexpr Declared kCriUp{"imagesweep_cri_up", "1 if the container runtime answers."};
inline constexpr Declared kEvidenceAge{
    "imagesweep_evidence_age_seconds",
    "Time since a source was last read completely, or since the start if it never was. workloads: "
    "0 while the policy does not need them."};
inline constexpr Declared kRefused{
    "imagesweep_refused_runs_total",
    "Runs that aborted and removed nothing more because a source could not be read, by source."};
inline constexpr Declared kStillListed{
    "imagesweep_still_listed_after_remove_total",
    "Images that the runtime still listed after it reported their removal."};
inline constexpr Declared kPulledAgain{
    "imagesweep_removed_then_pulled_total",
    "Images that a run removed in the last 7 days and that are listed again, counted once per "
    "removal."};
inline constexpr Declared kWindow{"imagesweep_recheck_window_seconds",
                                  "Time from the request for containers in the last recheck to the "
                                  "deletion."};
inline constexpr Declared kKubeRequests{"imagesweep_kube_requests_total",
                                        "Requests to the Kubernetes API."};
inline constexpr Declared kCriRequests{"imagesweep_cri_requests_total",
                                       "Calls to the container runtime."};
inline constexpr Declared kCriSeconds{"imagesweep_cri_request_duration_seconds",
                                      "Duration of calls to the container runtime."};

// Label values that exist from the start.
inline constexpr std::array kRefusingSources{"pods",    "containers", "images",   "sandboxes",
                                             "node",    "policy",     "identity", "references",
                                             "runtime", "workloads"};
inline constexpr std::array kEvidenceSources{"pods", "containers", "images"};
// The usual requests of an agent, exported with 0 before the first request.
inline constexpr std::array<std::array<const char*, 3>, 8> kUsualKubeRequests{
    {{"get", "nodes", "200"},
     {"list", "pods", "200"},
     {"watch", "pods", "200"},
     {"get", "configmaps", "200"},
     {"list", "configmaps", "200"},
     {"watch", "configmaps", "200"},
     {"create", "events", "201"},
     {"patch", "events", "200"}}};
inline constexpr std::array kRuntimeMethods{"Version",     "Status",         "ListImages",
                                            "ImageStatus", "ListContainers", "ContainerStatus",
                                            "RemoveImage", "ImageFsInfo",    "ListPodSandbox"};

}  // namespace imagesweep::series

namespace imagesweep {

// One series without labels.
struct ProcessSeries {
  const char* name = "";
  const char* help = "";
  double value = 0;
  bool counts = false;  // a counter, not a gauge
};

// With the names and texts of the official client libraries.
// Source: prometheus.io/docs/instrumenting/writing_clientlibs, "Standard and runtime collectors".
std::vector<ProcessSeries> ProcessSeriesOf(const ProcessUsage& usage);

}  // namespace imagesweep
