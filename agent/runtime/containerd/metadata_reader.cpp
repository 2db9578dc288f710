#include "agent/runtime/containerd/metadata_reader.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "agent/runtime/containerd/call.h"
#include "agent/runtime/containerd/content_reader.h"
#include "agent/runtime/containerd/snapshot_builder.h"
#include "agent/runtime/containerd/stubs.h"

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
  const auto reply = calls.UnaryCall("Introspection.Plugins", stub,
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
layers::Disk DiskOf(const std::vector<std::string>& directories,
                    const MetadataReaderOptions& options) {
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

MetadataReader::MetadataReader(const std::shared_ptr<grpc::Channel>& channel, const Clock& clock,
                               MetadataReaderOptions options)
    : clock_(clock),
      options_(std::move(options)),
      stubs_(std::make_unique<Stubs>(channel)),
      memory_(std::make_unique<Memory>()) {}

MetadataReader::~MetadataReader() = default;

Result<layers::MetadataSnapshot> MetadataReader::ReadSnapshot(std::span<const Image> images,
                                                              const std::stop_token& stop) {
  const Calls calls(options_.timeout, stop);
  const auto version =
      calls.UnaryCall("Version", stubs_->version, &api::version::Version::Stub::Version,
                      ::containerd::types::Nothing());
  if (!version && version.error().kind == ErrorKind::kInvalid)
    return Error{
        ErrorKind::kNotFound,
        "this runtime is not containerd, and only containerd reports its content on disk: " +
            version.error().what};
  if (!version) return version.error().Wrap("containerd");
  const auto namespaces = calls.UnaryCall("Namespaces.List", stubs_->namespaces,
                                          &api::namespaces::Namespaces::Stub::List,
                                          api::namespaces::ListNamespacesRequest());
  if (!namespaces) return namespaces.error().Wrap("containerd");
  const auto plugins = ReadPlugins(calls, stubs_->introspection);
  if (plugins && !options_.snapshotter.empty() &&
      std::ranges::find(plugins->snapshotters, options_.snapshotter) == plugins->snapshotters.end())
    return Error{ErrorKind::kNotFound,
                 "containerd has no snapshotter \"" + options_.snapshotter + "\""};

  layers::MetadataSnapshot metadata(
      options_.cri_namespace, clock_.Now(), layers::RulesOf(version->version()),
      plugins ? DiskOf(plugins->directories, options_) : layers::Disk{});
  metadata.SetRecordsOf(options_.records_of);
  for (const auto& one : namespaces->namespaces()) metadata.AddNamespace(one.name());
  if (!plugins)  // no snapshot is listed without the names of the snapshotters
    for (const auto what : {layers::Unread::What::kObjects, layers::Unread::What::kMounts})
      metadata.CouldNotRead({what, "", plugins.error().what});
  const std::vector<std::string> spaces = metadata.namespaces();

  SnapshotBuilder builder(*stubs_, *memory_, calls, metadata);
  const auto snapshotters = plugins ? plugins->snapshotters : std::vector<std::string>();
  for (const std::string& space : spaces) builder.ReadObjects(space, snapshotters);
  for (const std::string& space : spaces) {
    builder.ReadContainers(space);
    builder.ReadLeases(space);
    builder.ReadIngests(space);
    builder.ReadSandboxes(space);
  }
  ContentReader documents(*stubs_, *memory_, calls, metadata, images, options_.configs);
  documents.Read();
  if (stop.stop_requested()) return Error{ErrorKind::kCancelled, "containerd: shutting down"};
  builder.Forget();
  documents.Forget();
  metadata.Trim();
  return metadata;
}

Result<std::shared_ptr<const layers::LayerGraph>> MetadataReader::Read(
    std::span<const Image> images, const std::stop_token& stop) {
  auto metadata = ReadSnapshot(images, stop);
  if (!metadata) return std::move(metadata).error();
  return std::shared_ptr<const layers::LayerGraph>(
      std::make_shared<layers::LayerGraph>(*std::move(metadata), images));
}

}  // namespace imagesweep::containerd
