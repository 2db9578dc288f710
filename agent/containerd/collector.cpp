#include "agent/containerd/collector.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "agent/containerd/call.h"
#include "agent/containerd/collection.h"
#include "agent/containerd/document_reader.h"
#include "agent/containerd/stubs.h"

namespace imagesweep::containerd {
namespace {

constexpr const char* kSnapshotter = "io.containerd.snapshotter.v1";
constexpr const char* kContentStore = "io.containerd.content.v1";

struct Plugins {
  std::vector<std::string> snapshotters;  // loaded ones
  std::vector<std::string> directories;   // of them and of the content store
};

Result<Plugins> ReadPlugins(const Calls& calls, api::introspection::Introspection::Stub& stub) {
  api::introspection::PluginsRequest request;
  request.add_filters(std::string("type==") + kSnapshotter);
  request.add_filters(std::string("type==") + kContentStore);
  const auto reply = calls.Ask("Introspection.Plugins", "", stub,
                               &api::introspection::Introspection::Stub::Plugins, request);
  if (!reply) return reply.error();
  Plugins plugins;
  for (const auto& plugin : reply->plugins()) {
    if (plugin.has_init_err()) continue;  // not loaded
    if (plugin.type() == kSnapshotter) plugins.snapshotters.push_back(plugin.id());
    const auto root = plugin.exports().find("root");
    if (root != plugin.exports().end()) plugins.directories.push_back(root->second);
  }
  return plugins;
}

// The disk of all directories. Unknown if they are on different disks, or if one cannot be seen.
layers::Disk DiskOf(const std::vector<std::string>& directories, const CollectorOptions& options) {
  std::optional<layers::Disk> disk;
  if (!options.disk) return {};
  for (const std::string& directory : directories) {
    const layers::Disk its = options.disk(directory);
    if (!disk) disk = its;
    if (disk->kind != its.kind || disk->block_bytes != its.block_bytes) return {};
  }
  return disk.value_or(layers::Disk{});
}

}  // namespace

Collector::Collector(const std::shared_ptr<grpc::Channel>& channel, const Clock& clock,
                     CollectorOptions options)
    : clock_(clock),
      options_(std::move(options)),
      stubs_(std::make_unique<Stubs>(channel)),
      memory_(std::make_unique<Memory>()) {}

Collector::~Collector() = default;

Result<layers::World> Collector::Collect(std::span<const Image> images,
                                         const std::stop_token& stop) {
  const Calls calls(options_.timeout, stop);
  const auto version =
      calls.Ask("Version", "", stubs_->version, &api::version::Version::Stub::Version,
                ::containerd::types::Nothing());
  if (!version && version.error().kind == ErrorKind::kInvalid)
    return Error{
        ErrorKind::kNotFound,
        "this runtime is not containerd, and only containerd reports its content on disk: " +
            version.error().what};
  if (!version) return version.error().Wrap("containerd");
  const auto namespaces =
      calls.Ask("Namespaces.List", "", stubs_->namespaces, &api::namespaces::Namespaces::Stub::List,
                api::namespaces::ListNamespacesRequest());
  if (!namespaces) return namespaces.error().Wrap("containerd");
  const auto plugins = ReadPlugins(calls, stubs_->introspection);

  layers::World world(options_.cri_namespace, clock_.Now(), layers::RulesOf(version->version()),
                      plugins ? DiskOf(plugins->directories, options_) : layers::Disk{});
  for (const auto& one : namespaces->namespaces()) world.AddNamespace(one.name());
  if (!plugins) world.CouldNotRead({layers::Unread::What::kObjects, "", plugins.error().what});
  const std::vector<std::string> spaces = world.namespaces();

  Collection collection(*stubs_, *memory_, calls, world);
  const auto snapshotters = plugins ? plugins->snapshotters : std::vector<std::string>();
  for (const std::string& space : spaces) collection.ReadObjects(space, snapshotters);
  for (const std::string& space : spaces) {
    collection.ReadContainers(space);
    collection.ReadLeases(space);
    collection.ReadIngests(space);
    collection.ReadSandboxes(space);
  }
  DocumentReader documents(*stubs_, *memory_, calls, world, images, options_.configs);
  documents.Read();
  if (stop.stop_requested()) return Error{ErrorKind::kCancelled, "containerd: shutting down"};
  collection.Forget();
  documents.Forget();
  world.Trim();
  return world;
}

Result<std::shared_ptr<const layers::LayerGraph>> Collector::Read(std::span<const Image> images,
                                                                  const std::stop_token& stop) {
  auto world = Collect(images, stop);
  if (!world) return std::move(world).error();
  return std::shared_ptr<const layers::LayerGraph>(
      std::make_shared<layers::LayerGraph>(*std::move(world), images));
}

}  // namespace imagesweep::containerd
