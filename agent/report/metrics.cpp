#include "agent/report/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <limits>
#include <map>
#include <sstream>
#include <utility>
#include <vector>

#include "agent/base/guarded.h"
#include "agent/report/image_state.h"
#include "agent/report/removal_reason.h"

namespace imagesweep {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

constexpr std::array kSources{"pods",   "containers", "images",     "sandboxes", "node",
                              "policy", "identity",   "references", "runtime",   "workloads"};
constexpr std::array kEvidence{"pods", "containers", "images"};
// What an agent asks for: there at 0 before it was asked.
constexpr std::array<std::array<const char*, 3>, 8> kKubeRequests{{{"get", "nodes", "200"},
                                                                   {"list", "pods", "200"},
                                                                   {"watch", "pods", "200"},
                                                                   {"get", "configmaps", "200"},
                                                                   {"list", "configmaps", "200"},
                                                                   {"watch", "configmaps", "200"},
                                                                   {"create", "events", "201"},
                                                                   {"patch", "events", "200"}}};
constexpr std::array kRuntimeMethods{"Version",     "Status",         "ListImages",
                                     "ImageStatus", "ListContainers", "ContainerStatus",
                                     "RemoveImage", "ImageFsInfo",    "ListPodSandbox"};
constexpr std::array kReasons{"age", "rule", "dangling", "superseded", "space", "critical"};
const Histogram::BucketBoundaries kCallSeconds{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120};
const Histogram::BucketBoundaries kRunSeconds{0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900};
const Histogram::BucketBoundaries kWindowSeconds{0.0001, 0.0005, 0.001, 0.005, 0.01, 0.02, 0.05};

bool Removed(const Outcome& outcome) {
  return outcome.kind == OutcomeKind::kRemoved;
}

std::uint64_t SizeOfRemoved(const Report& report) {
  std::uint64_t bytes = 0;
  for (const Outcome& outcome : report.outcomes)
    if (Removed(outcome)) bytes += report.observation.images[outcome.image].size_bytes;
  return bytes;
}

// By the names and words of the official client libraries.
// Source: prometheus.io/docs/instrumenting/writing_clientlibs, "Standard and runtime collectors".
void AddProcess(const ProcessUsage& usage, std::vector<prometheus::MetricFamily>& families) {
  const auto add = [&](const char* name, const char* help, double value,
                       prometheus::MetricType type = prometheus::MetricType::Gauge) {
    prometheus::ClientMetric metric;
    (type == prometheus::MetricType::Gauge ? metric.gauge.value : metric.counter.value) = value;
    families.push_back({name, help, type, {metric}});
  };
  const auto bytes = [](std::uint64_t count) { return static_cast<double>(count); };
  add("process_cpu_seconds_total", "User and system CPU time of the agent.", usage.cpu_seconds,
      prometheus::MetricType::Counter);
  add("process_resident_memory_bytes", "Resident memory of the agent.",
      bytes(usage.resident_bytes));
  add("process_virtual_memory_bytes", "Virtual memory of the agent.", bytes(usage.virtual_bytes));
  add("process_open_fds", "Open file descriptors of the agent.", bytes(usage.open_files));
  add("process_max_fds", "The most file descriptors that the agent may have open.",
      usage.max_files ? bytes(*usage.max_files) : std::numeric_limits<double>::infinity());
  add("process_start_time_seconds", "Unix time at which the agent was started.",
      usage.start_time_seconds);
}

double Epoch(SystemTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace

std::string_view ToString(Trigger trigger) {
  switch (trigger) {
    case Trigger::kInterval:
      return "interval";
    case Trigger::kPolicyChange:
      return "policy_change";
    case Trigger::kManual:
      return "manual";
  }
  return "manual";
}

struct Metrics::Series {
  prometheus::Registry registry;

  Family<Counter>& counter(const char* name, const char* help) {
    return BuildCounter().Name(name).Help(help).Register(registry);
  }
  Family<Gauge>& gauge(const char* name, const char* help) {
    return BuildGauge().Name(name).Help(help).Register(registry);
  }
  Family<Histogram>& histogram(const char* name, const char* help) {
    return BuildHistogram().Name(name).Help(help).Register(registry);
  }

  Family<Counter>& runs =
      counter("imagesweep_runs_total", "Runs by what set them off and how they ended.");
  Family<Histogram>& run_seconds =
      histogram("imagesweep_run_duration_seconds", "Duration of runs.");
  Gauge& last_success = gauge("imagesweep_last_run_success_timestamp_seconds",
                              "Unix time of the end of the last run that was not refused.")
                            .Add({});
  Family<Counter>& removals = counter("imagesweep_image_removals_total",
                                      "Images removed, by reason; dry runs do not count.");
  Family<Counter>& untags =
      counter("imagesweep_tag_removals_total",
              "Tags that rules with Untag took from images which stayed; dry runs do not count.");
  Family<Counter>& reclaimed =
      counter("imagesweep_reclaimed_bytes_total",
              "Bytes that came free. predicted: by the layers, or where they cannot be read the "
              "sizes of the removed images, as if they shared nothing. measured: by statvfs before "
              "and after runs, with "
              "whatever else was written meanwhile.");
  Counter& prediction_errors =
      counter("imagesweep_reclaim_prediction_errors_total",
              "Runs in which what came free differed by more than 1 % and 1 MiB from an exact "
              "prediction by the layers; others write to the disk too.")
          .Add({});
  Family<Gauge>& images = gauge("imagesweep_images", "Images at the last evaluation, by state.");
  Family<Gauge>& image_bytes =
      gauge("imagesweep_image_bytes",
            "Sizes as the runtime counts them at the last evaluation, by state.");
  Gauge& oversized = gauge("imagesweep_size_limits_exceeded",
                           "Images that are larger than sizeLimits allow at the last evaluation.")
                         .Add({});
  Gauge& fs_size =
      gauge("imagesweep_image_filesystem_size_bytes", "Size of the image filesystem.").Add({});
  Gauge& fs_avail =
      gauge("imagesweep_image_filesystem_avail_bytes", "Bytes available on the image filesystem.")
          .Add({});
  Gauge& dry_run = gauge("imagesweep_dry_run", "1 when this node's runs only report.").Add({});
  Gauge& suspended =
      gauge("imagesweep_suspended", "1 when the policy is suspended on this node.").Add({});
  Family<Gauge>& policy_info =
      gauge("imagesweep_policy_info",
            "The policy in force, one series at a time; always 1. source: none, "
            "chart, override, existing, configmap or file.");
  Gauge& reload_ok = gauge("imagesweep_config_last_reload_successful",
                           "1 when the last policy that was read is valid and in force.")
                         .Add({});
  Gauge& reload_time = gauge("imagesweep_config_last_reload_success_timestamp_seconds",
                             "Unix time at which a valid policy was last loaded.")
                           .Add({});
  Gauge& cri_up = gauge("imagesweep_cri_up", "1 when the container runtime answers.").Add({});
  Family<Gauge>& evidence_age =
      gauge("imagesweep_evidence_age_seconds",
            "Time since a source last gave evidence that was believed; since the start when never. "
            "workloads: 0 while the policy does not ask for them.");
  Family<Counter>& refused =
      counter("imagesweep_refused_runs_total",
              "Runs that removed nothing because a source could not be trusted.");
  Counter& still_listed =
      counter("imagesweep_still_listed_after_remove_total",
              "Images that the runtime listed after it said that they were removed.")
          .Add({});
  Counter& pulled_again =
      counter("imagesweep_removed_then_pulled_total",
              "Images that a run removed within 7 days and that are listed again, once per "
              "removal.")
          .Add({});
  Histogram& window = histogram("imagesweep_recheck_window_seconds",
                                "Time from the last look at containers to the removal call.")
                          .Add({}, kWindowSeconds);
  Family<Counter>& kube_requests =
      counter("imagesweep_kube_requests_total", "Requests to the Kubernetes API.");
  Family<Counter>& cri_requests =
      counter("imagesweep_cri_requests_total", "Calls to the container runtime.");
  Family<Histogram>& cri_seconds = histogram("imagesweep_cri_request_duration_seconds",
                                             "Duration of calls to the container runtime.");

  Guarded<Gauge*> policy_series;
  Guarded<std::map<std::string, SteadyTime>> evidence_at;
};

Metrics::Metrics(const std::string& version, const std::string& revision, const Clock& clock,
                 ReadProcess process)
    : series_(std::make_unique<Series>()), clock_(clock), process_(std::move(process)) {
  Series& s = *series_;
  s.gauge("imagesweep_build_info", "Version and revision of the program; always 1.")
      .Add({{"version", version}, {"revision", revision}})
      .Set(1);
  for (const Trigger trigger : {Trigger::kInterval, Trigger::kPolicyChange, Trigger::kManual}) {
    const std::string name(ToString(trigger));
    s.run_seconds.Add({{"trigger", name}}, kRunSeconds);
    for (const char* result : {"success", "partial", "noop", "error"})
      s.runs.Add({{"trigger", name}, {"result", result}});
  }
  for (const char* reason : kReasons)
    for (const char* result : {"success", "error"})
      s.removals.Add({{"reason", reason}, {"result", result}});
  for (const char* result : {"success", "error"}) s.untags.Add({{"result", result}});
  for (const char* kind : {"predicted", "measured"}) s.reclaimed.Add({{"kind", kind}});
  for (const char* state : kImageStates) {
    s.images.Add({{"state", state}});
    s.image_bytes.Add({{"state", state}});
  }
  for (const char* source : kSources) s.refused.Add({{"source", source}});
  for (const auto& [verb, resource, code] : kKubeRequests)
    s.kube_requests.Add({{"verb", verb}, {"resource", resource}, {"code", code}});
  for (const char* method : kRuntimeMethods) {
    s.cri_requests.Add({{"method", method}, {"code", "OK"}});
    s.cri_seconds.Add({{"method", method}}, kCallSeconds);
  }
  s.evidence_age.Add({{"source", "workloads"}});
  const SteadyTime start = clock_.Steady();
  s.evidence_at.With([&](auto& at) {
    for (const char* source : kEvidence) at[source] = start;
    return 0;
  });
  s.policy_series.With([&](Gauge*& current) {
    current = &s.policy_info.Add({{"source", "none"}, {"sha256", ""}});
    current->Set(1);
    return 0;
  });
}

Metrics::~Metrics() = default;

void Metrics::RecordRun(const Report& report, Trigger trigger, double seconds,
                        std::optional<std::uint64_t> predicted_bytes) {
  Series& s = *series_;
  const std::string trigger_name(ToString(trigger));
  s.runs.Add({{"trigger", trigger_name}, {"result", std::string(ResultOf(report))}}).Increment();
  s.run_seconds.Add({{"trigger", trigger_name}}, kRunSeconds).Observe(seconds);
  for (const double window : report.recheck_window_seconds) s.window.Observe(window);
  if (report.refused) s.refused.Add({{"source", report.refused->source}}).Increment();
  const bool reads_workloads = report.in_force.keep.workloads.enabled;
  if (report.refused && report.plan.decisions.empty()) {
    // From the first run that asked for them on.
    if (reads_workloads)
      s.evidence_at.With(
          [&](auto& at) { return at.try_emplace("workloads", clock_.Steady()).second; });
    return;
  }

  // What the run went by: a flag, or a part of the policy for this node alone, may say otherwise.
  s.dry_run.Set(report.dry_run ? 1 : 0);
  s.suspended.Set(report.in_force.suspend ? 1 : 0);
  s.last_success.Set(Epoch(report.finished));
  const SteadyTime now = clock_.Steady();
  s.evidence_at.With([&](auto& at) {
    for (const char* source : kEvidence)
      if (std::string_view(source) != "pods" || !report.evidence.without_kubernetes)
        at[source] = now;
    if (reads_workloads) {
      at["workloads"] = now;
    } else {
      at.erase("workloads");
    }
    return 0;
  });
  if (!reads_workloads) s.evidence_age.Add({{"source", "workloads"}}).Set(0);
  std::map<std::string_view, std::pair<double, double>> by_state;
  for (const Decision& decision : report.plan.decisions) {
    auto& [count, bytes] = by_state[ImageState(decision.code)];
    count += 1;
    bytes += static_cast<double>(report.observation.images[decision.image].size_bytes);
  }
  for (const char* state : kImageStates) {
    s.images.Add({{"state", state}}).Set(by_state[state].first);
    s.image_bytes.Add({{"state", state}}).Set(by_state[state].second);
  }
  s.oversized.Set(static_cast<double>(report.oversized.size()));
  for (const PulledAgain& again : report.pulled_again)
    if (again.since_last_run) s.pulled_again.Increment();
  for (const Outcome& outcome : report.outcomes) {
    const bool removed = Removed(outcome);
    const bool listed = outcome.kind == OutcomeKind::kStillListed;
    if (!removed && !listed && outcome.kind != OutcomeKind::kFailed) continue;
    const Code code = report.plan.decisions[outcome.image].code;
    s.removals
        .Add({{"reason", std::string(RemovalReason(code))},
              {"result", removed ? "success" : "error"}})
        .Increment();
    if (listed) s.still_listed.Increment();
  }
  for (const NameOutcome& outcome : report.untagged) {
    const bool failed =
        outcome.kind == OutcomeKind::kFailed || outcome.kind == OutcomeKind::kStillListed;
    if (failed || outcome.kind == OutcomeKind::kRemoved)
      s.untags.Add({{"result", failed ? "error" : "success"}}).Increment();
  }
  const std::optional<DiskUsage> disk =
      report.after && report.after->disk ? report.after->disk : report.observation.disk;
  if (disk) {
    s.fs_size.Set(static_cast<double>(disk->capacity_bytes));
    s.fs_avail.Set(static_cast<double>(disk->available_bytes));
  }
  if (report.layers && !report.layers->off_by.empty()) s.prediction_errors.Increment();
  s.reclaimed.Add({{"kind", "predicted"}})
      .Increment(static_cast<double>(predicted_bytes.value_or(SizeOfRemoved(report))));
  if (!report.dry_run && report.before && report.after && report.before->disk &&
      report.after->disk &&
      report.after->disk->available_bytes > report.before->disk->available_bytes) {
    s.reclaimed.Add({{"kind", "measured"}})
        .Increment(static_cast<double>(report.after->disk->available_bytes -
                                       report.before->disk->available_bytes));
  }
}

void Metrics::PolicyLoaded(const PolicySource& source, const std::string& origin, bool dry_run,
                           bool suspended, SystemTime at) {
  Series& s = *series_;
  s.dry_run.Set(dry_run ? 1 : 0);
  s.suspended.Set(suspended ? 1 : 0);
  s.reload_ok.Set(1);
  s.reload_time.Set(Epoch(at));
  s.policy_series.With([&](Gauge*& current) {
    s.policy_info.Remove(current);  // one series at a time
    current = &s.policy_info.Add({{"source", origin}, {"sha256", source.sha256}});
    current->Set(1);
    return 0;
  });
}

void Metrics::PolicyRejected() {
  series_->reload_ok.Set(0);
}

void Metrics::SetRuntimeUp(bool up) {
  series_->cri_up.Set(up ? 1 : 0);
}

void Metrics::CountKubeRequest(std::string_view verb, std::string_view resource,
                               std::string_view code) {
  series_->kube_requests
      .Add({{"verb", std::string(verb)},
            {"resource", std::string(resource)},
            {"code", std::string(code)}})
      .Increment();
}

void Metrics::CountRuntimeCall(std::string_view method, std::string_view code, double seconds) {
  series_->cri_requests.Add({{"method", std::string(method)}, {"code", std::string(code)}})
      .Increment();
  series_->cri_seconds.Add({{"method", std::string(method)}}, kCallSeconds).Observe(seconds);
}

std::string Metrics::Render() const {
  const SteadyTime now = clock_.Steady();
  series_->evidence_at.With([&](auto& at) {
    for (const auto& [source, when] : at)
      series_->evidence_age.Add({{"source", source}})
          .Set(std::chrono::duration<double>(now - when).count());
    return 0;
  });
  auto families = series_->registry.Collect();
  if (const auto usage = process_()) AddProcess(*usage, families);
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return out.str();
}

}  // namespace imagesweep
