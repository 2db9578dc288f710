#include "agent/telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <sstream>
#include <utility>

#include "agent/base/guarded.h"
#include "agent/model/verdict_codes.h"
#include "agent/telemetry/metrics_series.h"

namespace imagesweep {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

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

prometheus::MetricFamily FamilyOf(const ProcessSeries& one) {
  prometheus::ClientMetric metric;
  (one.counts ? metric.counter.value : metric.gauge.value) = one.value;
  return {one.name,
          one.help,
          one.counts ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge,
          {metric}};
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

  Family<Counter>& counter(const series::Declared& its) {
    return BuildCounter().Name(its.name).Help(its.help).Register(registry);
  }
  Family<Gauge>& gauge(const series::Declared& its) {
    return BuildGauge().Name(its.name).Help(its.help).Register(registry);
  }
  Family<Histogram>& histogram(const series::Declared& its) {
    return BuildHistogram().Name(its.name).Help(its.help).Register(registry);
  }

  Family<Counter>& runs = counter(series::kRuns);
  Family<Histogram>& run_seconds = histogram(series::kRunSeconds);
  Gauge& last_success = gauge(series::kLastSuccess).Add({});
  Family<Counter>& removals = counter(series::kRemovals);
  Family<Counter>& reclaimed = counter(series::kReclaimed);
  Counter& prediction_errors = counter(series::kPredictionErrors).Add({});
  Family<Gauge>& images = gauge(series::kImages);
  Family<Gauge>& image_bytes = gauge(series::kImageBytes);
  Gauge& oversized = gauge(series::kOversized).Add({});
  Gauge& fs_size = gauge(series::kFsSize).Add({});
  Gauge& fs_avail = gauge(series::kFsAvail).Add({});
  Gauge& dry_run = gauge(series::kDryRun).Add({});
  Gauge& suspended = gauge(series::kSuspended).Add({});
  Family<Gauge>& policy_info = gauge(series::kPolicyInfo);
  Gauge& reload_ok = gauge(series::kReloadOk).Add({});
  Gauge& unread = gauge(series::kUnread).Add({});
  Gauge& reload_time = gauge(series::kReloadTime).Add({});
  Gauge& cri_up = gauge(series::kCriUp).Add({});
  Family<Gauge>& evidence_age = gauge(series::kEvidenceAge);
  Family<Counter>& refused = counter(series::kRefused);
  Counter& still_listed = counter(series::kStillListed).Add({});
  Counter& pulled_again = counter(series::kPulledAgain).Add({});
  Histogram& window = histogram(series::kWindow).Add({}, kWindowSeconds);
  Family<Counter>& kube_requests = counter(series::kKubeRequests);
  Family<Counter>& cri_requests = counter(series::kCriRequests);
  Family<Histogram>& cri_seconds = histogram(series::kCriSeconds);

  Guarded<Gauge*> policy_series;
  Guarded<std::map<std::string, SteadyTime>> evidence_at;
};

Metrics::Metrics(const std::string& version, const std::string& revision, const Clock& clock,
                 ReadProcess process)
    : series_(std::make_unique<Series>()), clock_(clock), process_(std::move(process)) {
  Series& s = *series_;
  s.gauge(series::kBuildInfo).Add({{"version", version}, {"revision", revision}}).Set(1);
  for (const Trigger trigger : {Trigger::kInterval, Trigger::kPolicyChange, Trigger::kManual}) {
    const std::string name(ToString(trigger));
    s.run_seconds.Add({{"trigger", name}}, kRunSeconds);
    for (const char* result : {"success", "partial", "noop", "error"})
      s.runs.Add({{"trigger", name}, {"result", result}});
  }
  for (const char* reason : kRemovalReasons)
    for (const char* result : {"success", "error"})
      s.removals.Add({{"reason", reason}, {"result", result}});
  for (const char* kind : {"predicted", "measured"}) s.reclaimed.Add({{"kind", kind}});
  for (const char* state : kImageStates) {
    s.images.Add({{"state", state}});
    s.image_bytes.Add({{"state", state}});
  }
  for (const char* source : series::kRefusingSources) s.refused.Add({{"source", source}});
  for (const auto& [verb, resource, code] : series::kUsualKubeRequests)
    s.kube_requests.Add({{"verb", verb}, {"resource", resource}, {"code", code}});
  for (const char* method : series::kRuntimeMethods) {
    s.cri_requests.Add({{"method", method}, {"code", "OK"}});
    s.cri_seconds.Add({{"method", method}}, kCallSeconds);
  }
  s.evidence_age.Add({{"source", "workloads"}});
  const SteadyTime start = clock_.Steady();
  s.evidence_at.With([&](auto& at) {
    for (const char* source : series::kEvidenceSources) at[source] = start;
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
  const bool reads_workloads = report.effective_policy.keep.workloads.enabled;
  if (report.refused && report.plan.decisions.empty()) {
    // Starts with the first run that needs workloads.
    if (reads_workloads)
      s.evidence_at.With(
          [&](auto& at) { return at.try_emplace("workloads", clock_.Steady()).second; });
    return;
  }

  // As in force for the run: a flag or an override for this node may differ from the policy.
  s.dry_run.Set(report.dry_run ? 1 : 0);
  s.suspended.Set(report.effective_policy.suspend ? 1 : 0);
  s.last_success.Set(Epoch(report.finished));
  const SteadyTime now = clock_.Steady();
  s.evidence_at.With([&](auto& at) {
    for (const char* source : series::kEvidenceSources)
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
    auto& [count, bytes] = by_state[RowOf(decision.code).state];
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
    const VerdictCode& code = RowOf(report.plan.decisions[outcome.image].code);
    s.removals
        .Add({{"reason", std::string(code.removal_reason)},
              {"result", removed ? "success" : "error"}})
        .Increment();
    if (listed) s.still_listed.Increment();
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

void Metrics::PolicyConfirmed() {
  series_->reload_ok.Set(1);
}

void Metrics::SetPolicyUnread(Millis unread_for) {
  series_->unread.Set(std::chrono::duration<double>(unread_for).count());
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
  if (const auto usage = process_())
    for (const ProcessSeries& one : ProcessSeriesOf(*usage)) families.push_back(FamilyOf(one));
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return out.str();
}

}  // namespace imagesweep
