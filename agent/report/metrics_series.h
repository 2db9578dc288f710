#pragma once

#include <array>

// The agent's own series as scrapers see them declared.

namespace imagesweep::series {

struct Declared {
  const char* name;
  const char* help;  // the words of # HELP
};

inline constexpr Declared kBuildInfo{"imagesweep_build_info",
                                     "Version and revision of the program; always 1."};
inline constexpr Declared kRuns{"imagesweep_runs_total",
                                "Runs by what set them off and how they ended."};
inline constexpr Declared kRunSeconds{"imagesweep_run_duration_seconds", "Duration of runs."};
inline constexpr Declared kLastSuccess{
    "imagesweep_last_run_success_timestamp_seconds",
    "Unix time of the end of the last run that was not refused."};
inline constexpr Declared kRemovals{"imagesweep_image_removals_total",
                                    "Images removed, by reason; dry runs do not count."};
inline constexpr Declared kReclaimed{
    "imagesweep_reclaimed_bytes_total",
    "Bytes that came free. predicted: by the layers, or where they cannot be read the "
    "sizes of the removed images, as if they shared nothing. measured: by statvfs before "
    "and after runs, with "
    "whatever else was written meanwhile."};
inline constexpr Declared kPredictionErrors{
    "imagesweep_reclaim_prediction_errors_total",
    "Runs in which what came free differed by more than 1 % and 1 MiB from an exact "
    "prediction by the layers; others write to the disk too."};
inline constexpr Declared kImages{"imagesweep_images", "Images at the last evaluation, by state."};
inline constexpr Declared kImageBytes{
    "imagesweep_image_bytes", "Sizes as the runtime counts them at the last evaluation, by state."};
inline constexpr Declared kOversized{
    "imagesweep_size_limits_exceeded",
    "Images that are larger than sizeLimits allow at the last evaluation."};
inline constexpr Declared kFsSize{"imagesweep_image_filesystem_size_bytes",
                                  "Size of the image filesystem."};
inline constexpr Declared kFsAvail{"imagesweep_image_filesystem_avail_bytes",
                                   "Bytes available on the image filesystem."};
inline constexpr Declared kDryRun{"imagesweep_dry_run", "1 when this node's runs only report."};
inline constexpr Declared kSuspended{"imagesweep_suspended",
                                     "1 when the policy is suspended on this node."};
inline constexpr Declared kPolicyInfo{
    "imagesweep_policy_info",
    "The policy in force, one series at a time; always 1. source: none, "
    "chart, override, existing, configmap or file."};
inline constexpr Declared kReloadOk{"imagesweep_config_last_reload_successful",
                                    "1 when the last policy that was read is valid and in force, "
                                    "and it was read within the last two minutes."};
inline constexpr Declared kUnread{
    "imagesweep_config_unread_seconds",
    "Time since the policy in force was last known to be the one of its source; from 300 on runs "
    "are refused. 0 without a policy."};
inline constexpr Declared kReloadTime{"imagesweep_config_last_reload_success_timestamp_seconds",
                                      "Unix time at which a valid policy was last loaded."};
inline constexpr Declared kCriUp{"imagesweep_cri_up", "1 when the container runtime answers."};
inline constexpr Declared kEvidenceAge{
    "imagesweep_evidence_age_seconds",
    "Time since a source last gave evidence that was believed; since the start when never. "
    "workloads: 0 while the policy does not ask for them."};
inline constexpr Declared kRefused{
    "imagesweep_refused_runs_total",
    "Runs that removed nothing because a source could not be trusted."};
inline constexpr Declared kStillListed{
    "imagesweep_still_listed_after_remove_total",
    "Images that the runtime listed after it said that they were removed."};
inline constexpr Declared kPulledAgain{
    "imagesweep_removed_then_pulled_total",
    "Images that a run removed within 7 days and that are listed again, once per "
    "removal."};
inline constexpr Declared kWindow{"imagesweep_recheck_window_seconds",
                                  "Time from asking for the containers of the last recheck to the "
                                  "step that cannot be undone."};
inline constexpr Declared kKubeRequests{"imagesweep_kube_requests_total",
                                        "Requests to the Kubernetes API."};
inline constexpr Declared kCriRequests{"imagesweep_cri_requests_total",
                                       "Calls to the container runtime."};
inline constexpr Declared kCriSeconds{"imagesweep_cri_request_duration_seconds",
                                      "Duration of calls to the container runtime."};

// Label values that are there from the start.
inline constexpr std::array kRefusingSources{"pods",    "containers", "images",   "sandboxes",
                                             "node",    "policy",     "identity", "references",
                                             "runtime", "workloads"};
inline constexpr std::array kEvidenceSources{"pods", "containers", "images"};
// What an agent asks for: there at 0 before it was asked.
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
inline constexpr std::array kRemovalReasons{"age",        "rule",  "dangling",
                                            "superseded", "space", "critical"};

}  // namespace imagesweep::series
