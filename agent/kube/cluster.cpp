#include "agent/kube/cluster.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <list>
#include <thread>
#include <utility>

#include "agent/base/codec.h"
#include "agent/kube/client/cpprest_transport.h"
#include "agent/kube/client/event_writer.h"
#include "agent/kube/client/object_client.h"
#include "agent/kube/index/workload_index_reader.h"
#include "agent/kube/pods/pod_source.h"
#include "agent/kube/pods/pod_store.h"
#include "agent/kube/workloads/workload_source.h"

namespace imagesweep::kube {
namespace {

// Bookmarks arrive about once a minute. Without them, the object is listed again, so it has been
// seen within 75 s plus the time of a list.
constexpr Millis kConfigIdle = std::chrono::seconds(75);
constexpr Millis kConfigUnheard = std::chrono::seconds(60);

// Only detects another cluster at the same address. Security does not rest on it.
std::string FingerprintOf(const ApiServer& server) {
  char text[17];
  std::snprintf(text, sizeof text, "%016zx", std::hash<std::string>()(server.url + server.ca));
  return text;
}

}  // namespace

// The members are constructed in this order. The threads come last, so that they end first.
struct Cluster::Components {
  Components(std::unique_ptr<TokenSource> token_source, std::unique_ptr<HttpTransport> http,
             std::string cluster, ClusterOptions given, const Clock& its_clock)
      : clock(its_clock),
        options(std::move(given)),
        token(std::move(token_source)),
        transport(std::move(http)),
        fingerprint(std::move(cluster)),
        client(*transport, options.observer),
        events(*transport, options.node_name, options.reporter, options.observer),
        pod_lister(*transport, "/api/v1/pods", "pods",
                   "fieldSelector=spec.nodeName%3D" + UrlEncoded(options.node_name),
                   options.observer, {.keep = PodKeep()}),
        pod_source(std::make_unique<PodSource>(*transport, pod_lister, nullptr,
                                               PodSource::Node{options.node_name, fingerprint},
                                               clock, options.observer)),
        workloads(*transport, clock,
                  {.idle = options.watch_idle,
                   .start_within = options.workloads_start_within,
                   .seed = options.seed + 13},
                  options.observer) {}

  const Clock& clock;
  const ClusterOptions options;
  const std::unique_ptr<TokenSource> token;
  const std::unique_ptr<HttpTransport> transport;
  const std::string fingerprint;
  const ObjectClient client;
  EventWriter events;
  const Lister pod_lister;
  std::unique_ptr<PodStore> pod_store;  // null: not watched
  std::unique_ptr<PodSource> pod_source;
  std::unique_ptr<Reflector> pod_reflector;
  struct Config {
    std::unique_ptr<Lister> lister;
    std::unique_ptr<ConfigMapWatch> handler;
    std::unique_ptr<Reflector> reflector;
  };
  std::list<Config> configs;
  struct Index {
    std::unique_ptr<Lister> lister;
    std::unique_ptr<WorkloadIndexStore> store;  // null: not watched
    std::unique_ptr<Reflector> reflector;
    std::unique_ptr<WorkloadIndexReader> reader;
  };
  Index index;
  WorkloadSource workloads;
  std::list<std::jthread> threads;
};

Result<std::unique_ptr<Cluster>> Cluster::Connect(const ApiServer& server, ClusterOptions options,
                                                  const Clock& clock) {
  auto token = std::make_unique<TokenSource>(server, ReadSmallFile, clock);
  auto transport = ConnectOverTls(server, *token);
  if (!transport) return std::move(transport).error();
  return std::unique_ptr<Cluster>(new Cluster(std::make_unique<Components>(
      std::move(token), *std::move(transport), FingerprintOf(server), std::move(options), clock)));
}

std::unique_ptr<Cluster> Cluster::Over(std::unique_ptr<HttpTransport> transport,
                                       ClusterOptions options, const Clock& clock) {
  return std::unique_ptr<Cluster>(new Cluster(std::make_unique<Components>(
      nullptr, std::move(transport), "test", std::move(options), clock)));
}

Cluster::Cluster(std::unique_ptr<Components> parts) : parts_(std::move(parts)) {}

Cluster::~Cluster() = default;

void Cluster::WatchPods(std::function<void()> on_back) {
  Components& p = *parts_;
  p.pod_store = std::make_unique<PodStore>(std::move(on_back));
  p.pod_source = std::make_unique<PodSource>(*p.transport, p.pod_lister, p.pod_store.get(),
                                             PodSource::Node{p.options.node_name, p.fingerprint},
                                             p.clock, p.options.observer);
  p.pod_reflector =
      std::make_unique<Reflector>(*p.transport, p.pod_lister, *p.pod_store, p.clock,
                                  Reflector::Options{.idle = p.options.watch_idle,
                                                     .relist_unheard = p.options.watch_idle,
                                                     .seed = p.options.seed},
                                  p.options.observer);
  p.threads.emplace_back([&p](const std::stop_token& stop) { p.pod_reflector->Run(stop); });
}

PodReader& Cluster::pods() {
  return *parts_->pod_source;
}

Recent Cluster::DrainRecentReferences() {
  return parts_->pod_store ? parts_->pod_store->DrainRecent() : Recent();
}

void Cluster::WatchWorkloads(std::function<void()> on_back) {
  parts_->workloads.Watch(std::move(on_back));
}

WorkloadReader& Cluster::workloads() {
  return parts_->workloads;
}

WorkloadReader& Cluster::WorkloadIndex(const IndexName& index, bool watch,
                                       std::function<void()> on_back) {
  Components& p = *parts_;
  Components::Index& own = p.index;
  if (own.reader) return *own.reader;
  own.lister = std::make_unique<Lister>(*p.transport, ConfigMapsPath(index), "configmaps",
                                        IndexSelector(index), p.options.observer);
  if (watch) {
    own.store = std::make_unique<WorkloadIndexStore>(index, p.clock, std::move(on_back));
    own.reflector = std::make_unique<Reflector>(
        *p.transport, *own.lister, *own.store, p.clock,
        Reflector::Options{.idle = p.options.watch_idle, .seed = p.options.seed + 11},
        p.options.observer);
    p.threads.emplace_back([&own](const std::stop_token& stop) { own.reflector->Run(stop); });
  }
  own.reader = std::make_unique<WorkloadIndexReader>(*own.lister, index, own.store.get(), p.clock);
  return *own.reader;
}

const WorkloadIndexStore* Cluster::WorkloadIndexSeen() const {
  return parts_->index.store.get();
}

std::unique_ptr<WorkloadIndexWriter> Cluster::WriteWorkloadIndex(const IndexName& index,
                                                                 const std::string& holder) {
  return std::make_unique<WorkloadIndexWriter>(*parts_->transport, index, holder,
                                               parts_->options.observer);
}

std::unique_ptr<Lease> Cluster::OpenLease(Lease::Options options, Lease::OnChange on_change,
                                          Lease::OnError on_error) {
  return std::make_unique<Lease>(*parts_->transport, std::move(options), parts_->clock,
                                 parts_->options.observer, std::move(on_change),
                                 std::move(on_error));
}

void Cluster::WatchConfigMap(const std::string& name_space, const std::string& name,
                             const std::string& key, OnConfig on_config,
                             OnReadStatus on_read_status) {
  Components& p = *parts_;
  Components::Config& config = p.configs.emplace_back();
  config.lister = std::make_unique<Lister>(
      *p.transport, "/api/v1/namespaces/" + UrlEncoded(name_space) + "/configmaps", "configmaps",
      "fieldSelector=metadata.name%3D" + UrlEncoded(name), p.options.observer);
  config.handler = std::make_unique<ConfigMapWatch>(name_space, name, key, std::move(on_config),
                                                    std::move(on_read_status));
  config.reflector = std::make_unique<Reflector>(
      *p.transport, *config.lister, *config.handler, p.clock,
      Reflector::Options{.idle = std::min(p.options.watch_idle, kConfigIdle),
                         .relist_unheard = kConfigUnheard,
                         .seed = p.options.seed + 7},
      p.options.observer);
  p.threads.emplace_back([&config](const std::stop_token& stop) { config.reflector->Run(stop); });
}

Result<std::string> Cluster::ReadConfigMap(const std::string& name_space, const std::string& name,
                                           const std::string& key, const std::stop_token& stop) {
  const std::string display = name_space + "/" + name;
  const auto object = parts_->client.Get(
      "/api/v1/namespaces/" + UrlEncoded(name_space) + "/configmaps/" + UrlEncoded(name),
      "configmaps", stop);
  if (!object) return object.error().Wrap("get ConfigMap " + display);
  return ConfigText(*object, key, display);
}

Status Cluster::WriteEvent(const NodeEventWrite& write, const std::stop_token& stop) {
  return parts_->events.Write(write, stop);
}

// Source: k8s.io/kubernetes, pkg/kubelet/server/server.go (configz) and kubelet/config/v1beta1.
Result<KubeletThresholds> Cluster::ReadKubeletThresholds(const std::stop_token& stop) {
  const std::string what = "get the kubelet's configuration of node " + parts_->options.node_name;
  const auto json = parts_->client.Get(
      "/api/v1/nodes/" + UrlEncoded(parts_->options.node_name) + "/proxy/configz", "nodes/proxy",
      stop);
  if (!json) return json.error().Wrap(what);
  const auto config = ObjectAt(*json, "kubeletconfig");
  if (!config) return config.error().Wrap(what);
  const auto percent = [&](const char* key) -> Result<int> {
    if (*config == nullptr || !(*config)->contains(key) || !(**config)[key].is_number_integer())
      return Error{ErrorKind::kIncomplete, what + ": " + key + " is missing or not an integer"};
    return (**config)[key].get<int>();
  };
  const auto high = percent("imageGCHighThresholdPercent");
  const auto low = percent("imageGCLowThresholdPercent");
  if (!high) return high.error();
  if (!low) return low.error();
  return KubeletThresholds{*high, *low, true};
}

}  // namespace imagesweep::kube
