#include "agent/cmd/image_store_reader.h"

#include <algorithm>
#include <cctype>
#include <memory>
#include <string_view>
#include <utility>

#include "agent/cmd/render.h"
#include "agent/daemon/node_adapters.h"
#include "agent/daemon/policy_store.h"
#include "agent/gc/observe/file_system_id.h"
#include "agent/gc/observe/image_filesystem.h"
#include "agent/gc/observe/observer.h"
#include "agent/gc/observe/preconditions.h"
#include "agent/gc/plan/plan_context.h"
#include "agent/gc/plan/planner.h"
#include "agent/runtime/cri/endpoint.h"
#include "agent/state/age_store.h"

namespace imagesweep {
namespace {

// "/proc/4711/root" of a socket below it; otherwise empty.
std::string MountNamespaceRoot(std::string_view socket) {
  constexpr std::string_view kProc = "/proc/", kRoot = "/root/";
  if (!socket.starts_with(kProc)) return {};
  const auto end = socket.find('/', kProc.size());
  if (end == std::string_view::npos || !socket.substr(end).starts_with(kRoot)) return {};
  const std::string_view pid = socket.substr(kProc.size(), end - kProc.size());
  if (!std::ranges::all_of(pid, [](unsigned char c) { return std::isdigit(c) != 0; })) return {};
  return std::string(socket.substr(0, end + kRoot.size() - 1));
}

// The file systems of a runtime in another mount namespace.
class RootedFilesystem final : public Filesystem {
 public:
  explicit RootedFilesystem(std::string root) : root_(std::move(root)) {}
  Result<DiskUsage> Stat(const std::string& mountpoint) override {
    return host_.Stat(root_ + mountpoint);
  }

 private:
  const std::string root_;
  StatvfsFilesystem host_;
};

// The warnings of the observation tell why a disk is missing.
void AddDisks(RuntimeReader& runtime, Filesystem& filesystem, const std::stop_token& stop,
              ImageStore& store) {
  ImageDisks read = ReadImageDisks(runtime, filesystem, stop);
  store.all_disks_read = read.problems.empty();
  for (DiskUsage& usage : read.disks) {
    auto id = FileSystemId(usage.mountpoint);
    if (!id) {
      store.all_disks_read = false;
      store.warnings.push_back(id.error().what);
      continue;
    }
    if (std::ranges::find(store.disks, *id, &StoreDisk::file_system) == store.disks.end())
      store.disks.push_back({std::move(usage), *std::move(id)});
  }
}

bool HasPodsOfKubelet(const RuntimeUse& use) {
  return !use.ready_sandboxes.empty() || !use.stopped_sandboxes.empty() ||
         !use.container_pods.empty();
}

}  // namespace

Result<ImageStore> ReadImageStore(const std::string& endpoint, Millis timeout, const Clock& clock,
                                  const std::stop_token& stop) {
  const auto socket = cri::ParseEndpoint(endpoint);
  if (!socket) return socket.error();
  auto runtime =
      OpenNodeRuntime({.endpoint = endpoint, .host_prefix = {}, .timeout = timeout}, clock, stop);
  if (!runtime) return std::move(runtime).error();
  NodeAdapters node(*std::move(runtime), clock, {});
  const auto ages = AgeStore::InMemory(clock);
  RootedFilesystem filesystem(MountNamespaceRoot(socket->path));
  NodeDependencies sources{.runtime = node.runtime->reader(),
                           .pods = nullptr,
                           .remover = node.runtime->remover(),
                           .filesystem = filesystem,
                           .age_store = *ages,
                           .clock = clock};
  sources.layers = node.runtime->layers();
  // The observation and the protections are those of `plan`, so both agree about uses.
  const Policy policy = WithMinimumAge(Policy::Default(), Millis::zero());
  const auto state = Observer(sources, std::nullopt, {}).Observe(policy, clock.Now(), {}, stop);
  if (state->refused)
    return Error{state->refused->error.kind, ReadOnlyRefusalText(*state->refused)};
  if (auto why = CheckRuntime(state->evidence.runtime)) return std::move(why->error);
  ImageStore store{.runtime = state->evidence.runtime,
                   .containers = state->evidence.use.containers,
                   .has_kubelet = HasPodsOfKubelet(state->evidence.use),
                   .seen = state->seen,
                   .decisions = MakePlan(PlanContext(state->policy, state->seen)).decisions,
                   .disks = {},
                   .warnings = state->warnings};
  AddDisks(sources.runtime, filesystem, stop, store);
  return store;
}

}  // namespace imagesweep
