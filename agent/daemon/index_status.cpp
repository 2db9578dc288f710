#include "agent/daemon/index_status.h"

#include <sstream>
#include <utility>

#include "agent/base/process_usage.h"

namespace imagesweep {
namespace {

constexpr Millis kStuckAfter = std::chrono::minutes(5);

double Epoch(const std::optional<SystemTime>& time) {
  return time ? std::chrono::duration<double>(time->time_since_epoch()).count() : 0;
}

void Add(std::ostream& out, const char* name, const char* type, const char* help) {
  out << "# HELP " << name << ' ' << help << "\n# TYPE " << name << ' ' << type << '\n';
}

void Add(std::ostream& out, const char* name, const char* type, const char* help, double value) {
  Add(out, name, type, help);
  out << name << ' ' << value << '\n';
}

std::string Line(const char* name, const std::string& problem, const std::string& good) {
  return (problem.empty() ? std::string("[+]") + name + " " + good
                          : std::string("[-]") + name + " " + problem) +
         "\n";
}

}  // namespace

IndexStatus::IndexStatus(std::string version, const Clock& clock)
    : version_(std::move(version)), clock_(clock) {
  Beat();
}

void IndexStatus::Beat() {
  state_.With([&](Conditions& s) { return s.beat = clock_.Steady(); });
}

void IndexStatus::SetLeads(bool leads) {
  state_.With([&](Conditions& s) {
    s.leads = leads;
    s.whole = false;
    if (!leads) s.workloads = s.publish = "";
    return 0;
  });
}

void IndexStatus::SetLeaseProblem(const std::string& problem) {
  state_.With([&](Conditions& s) {
    s.lease = problem;
    return 0;
  });
}

void IndexStatus::SetWorkloadsProblem(const std::string& problem) {
  state_.With([&](Conditions& s) {
    s.workloads = problem;
    return 0;
  });
}

void IndexStatus::SetPublishProblem(const std::string& problem) {
  state_.With([&](Conditions& s) {
    s.publish = problem;
    return 0;
  });
}

void IndexStatus::Published(const kube::WorkloadIndexWriter::Published& published, double seconds) {
  state_.With([&](Conditions& s) {
    s.last = published;
    s.seconds = seconds;
    s.published_at = s.confirmed_at = clock_.Now();
    s.whole = true;
    s.publish.clear();
    return ++s.published;
  });
}

void IndexStatus::PublishFailed() {
  state_.With([](Conditions& s) { return ++s.failed; });
}

void IndexStatus::Confirmed() {
  state_.With([&](Conditions& s) {
    s.confirmed_at = clock_.Now();
    s.publish.clear();
    return 0;
  });
}

// The values of all three labels are bounded.
void IndexStatus::CountRequest(std::string_view verb, std::string_view resource,
                               std::string_view code) {
  std::ostringstream labels;
  labels << "verb=\"" << verb << "\",resource=\"" << resource << "\",code=\"" << code << '"';
  state_.With([&](Conditions& s) { return ++s.requests[labels.str()]; });
}

HttpReply IndexStatus::Live() const {
  const auto since = clock_.Steady() - state_.With([](const Conditions& s) { return s.beat; });
  if (since < kStuckAfter) return {200, "text/plain; charset=utf-8", "ok\n"};
  return {503, "text/plain; charset=utf-8",
          "the loop of the index has made no progress for 5 minutes\n"};
}

HttpReply IndexStatus::Ready(const std::string& query) const {
  const Conditions s = state_.With([](const Conditions& state) { return state; });
  const std::string publish =
      !s.publish.empty() || !s.leads || s.whole ? s.publish : "not published yet";
  const bool ready = s.lease.empty() && s.workloads.empty() && publish.empty();
  HttpReply reply{ready ? 200 : 503, "text/plain; charset=utf-8", "ok\n"};
  if (ready && query.find("verbose") == std::string::npos) return reply;
  const std::string published = s.leads ? "generation " + std::to_string(s.last.generation) + ", " +
                                              std::to_string(s.last.references) + " references"
                                        : "done by the leader";
  reply.body = Line("lease", s.lease, s.leads ? "leader" : "standby") +
               Line("workloads", s.workloads, s.leads ? "read" : "read by the leader") +
               Line("publish", publish, published) +
               (ready ? "readyz check passed\n" : "readyz check failed\n");
  return reply;
}

std::string IndexStatus::Metrics() const {
  const Conditions s = state_.With([](const Conditions& state) { return state; });
  std::ostringstream out;
  out.precision(15);
  Add(out, "imagesweep_index_build_info", "gauge", "Version of the program; always 1.");
  out << "imagesweep_index_build_info{version=\"" << version_ << "\"} 1\n";
  Add(out, "imagesweep_index_leader", "gauge",
      "1 if this process is the leader and publishes the index, 0 if it is a standby.",
      s.leads ? 1 : 0);
  Add(out, "imagesweep_index_generation", "gauge",
      "Generation of the set of images that this process published last.",
      static_cast<double>(s.last.generation));
  Add(out, "imagesweep_index_references", "gauge", "Image references in the last published set.",
      static_cast<double>(s.last.references));
  Add(out, "imagesweep_index_shards", "gauge", "ConfigMaps that contain the last published set.",
      static_cast<double>(s.last.shards));
  Add(out, "imagesweep_index_bytes", "gauge", "Compressed size of the last published set.",
      static_cast<double>(s.last.bytes));
  Add(out, "imagesweep_index_publish_seconds", "gauge", "Duration of the last publication.",
      s.seconds);
  Add(out, "imagesweep_index_last_publish_timestamp_seconds", "gauge",
      "Unix time of the last publication; 0 if there is none.", Epoch(s.published_at));
  Add(out, "imagesweep_index_last_heartbeat_timestamp_seconds", "gauge",
      "Unix time of the last heartbeat of this process; 0 if there is none.",
      Epoch(s.confirmed_at));
  Add(out, "imagesweep_index_publishes_total", "counter", "Publications by result.");
  out << "imagesweep_index_publishes_total{result=\"success\"} " << s.published << '\n'
      << "imagesweep_index_publishes_total{result=\"error\"} " << s.failed << '\n';
  Add(out, "imagesweep_index_kube_requests_total", "counter",
      "Requests to the API server, by verb, resource, and status code or kind of error.");
  for (const auto& [labels, count] : s.requests)
    out << "imagesweep_index_kube_requests_total{" << labels << "} " << count << '\n';
  if (const auto usage = ReadProcessUsage()) {
    Add(out, "process_cpu_seconds_total", "counter", "User and system CPU time.",
        usage->cpu_seconds);
    Add(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
        static_cast<double>(usage->resident_bytes));
    Add(out, "process_start_time_seconds", "gauge", "Unix time of the start.",
        usage->start_time_seconds);
  }
  return out.str();
}

}  // namespace imagesweep
