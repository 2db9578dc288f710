#include <thread>

#include "agent/base/random_seed.h"
#include "agent/cmd/commands.h"
#include "agent/cmd/connect.h"
#include "agent/cmd/render.h"
#include "agent/cmd/version.h"
#include "agent/daemon/index_service.h"
#include "agent/gc/run_id.h"

namespace imagesweep {
namespace {

Result<std::unique_ptr<HttpServer>> Serve(const Options& options, const IndexStatus& status) {
  if (options.listen_address.empty()) return std::unique_ptr<HttpServer>();
  const auto live = [&status](const std::string&) { return status.Live(); };
  return HttpServer::Start(
      options.listen_address,
      {{"/livez", live},
       {"/healthz", live},
       {"/readyz", [&status](const std::string& query) { return status.Ready(query); }},
       {"/metrics", [&status](const std::string&) {
          return HttpReply{200, "text/plain; version=0.0.4; charset=utf-8", status.Metrics()};
        }}});
}

// Unique to this process, also after a restart.
std::string HolderOf(const Options& options, const Clock& clock) {
  const std::string name = options.pod_name.empty() ? NodeNameOf(options) : options.pod_name;
  return name + "_" + NewRunId(clock.Now());
}

Result<std::unique_ptr<kube::Cluster>> Connect(const Options& options, IndexStatus& status,
                                               const Clock& clock) {
  kube::ClusterOptions cluster;
  cluster.workloads_start_within = Millis(0);  // only a few instances exist
  cluster.observer = [&status](auto verb, auto resource, auto code) {
    status.CountRequest(verb, resource, code);
  };
  return ConnectToCluster(options, std::move(cluster), clock);
}

}  // namespace

int RunIndex(const Options& options, const std::stop_token& stop) {
  const auto index = IndexNameOf(options);
  if (!index) {
    PrintError(index.error().what);
    return kExitUsage;
  }
  auto log = Log::Create(options.log_format.value_or(LogFormat::kJson), options.log_level);
  if (!log) {
    PrintError(log.error().what);
    return kExitUsage;
  }
  const RealClock clock;
  IndexStatus status(Version(), clock);
  auto server = Serve(options, status);
  if (!server) {
    PrintError(server.error().what);
    return server.error().kind == ErrorKind::kInvalid ? kExitUsage : kExitFailed;
  }
  auto connected = Connect(options, status, clock);
  if (!connected) {
    PrintError(connected.error().what);
    return kExitFailed;
  }
  kube::Cluster& cluster = **connected;
  const std::string holder = HolderOf(options, clock);
  (*log)->Info("Started", {{"version", Version()},
                           {"revision", Revision()},
                           {"index", index->display()},
                           {"holder", holder}});
  // A standby also watches, so that it is up to date when it becomes the leader.
  cluster.WatchWorkloads();
  cluster.WorkloadIndex(*index, /*watch=*/true);
  const auto writer = cluster.WriteWorkloadIndex(*index, holder);
  const auto lease = cluster.OpenLease(
      {.name_space = index->name_space, .name = index->name, .holder = holder},
      [&](bool leads, const std::string& now) {
        status.SetLeads(leads);
        if (leads) {
          (*log)->Info("Became leader", {{"holder", holder}});
        } else {
          (*log)->Warn("Lost leadership", {{"holder", now}});
        }
      },
      [&](const std::optional<Error>& why) {
        status.SetLeaseProblem(why ? why->what : "");
        if (why) (*log)->Warn("Failed to acquire or renew lease", {{"err", why->what}});
      });
  {
    // The service stops before the Lease is released, so that it never writes without the Lease.
    IndexService service({cluster.workloads(), *writer, cluster.WorkloadIndexSeen(),
                          [&lease] { return lease->Leads(); }, status, **log, clock},
                         RandomSeed());
    std::jthread leading([&](const std::stop_token& quit) { lease->Run(quit); });
    service.Run(stop);
  }
  (*log)->Info("Stopped");
  return kExitDone;
}

}  // namespace imagesweep
