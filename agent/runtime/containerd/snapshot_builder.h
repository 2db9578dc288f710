#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/runtime/containerd/call.h"
#include "agent/runtime/containerd/documents.h"
#include "agent/runtime/containerd/stubs.h"

namespace imagesweep::containerd {

// Data that is remembered between collections, only for objects that the last one saw.
struct MetadataReader::Memory {
  struct Sized {
    SystemTime created;  // a new object under the same key has another time
    layers::Usage usage;
  };
  // By namespace, snapshotter, and key, joined by "\n", which none of them contains.
  std::unordered_map<std::string, Sized> usages;
  std::unordered_map<std::string, ConfigFacts> configs;           // by image id
  std::unordered_map<std::string, std::string> manifest_configs;  // for manifests without labels
};

// One collection in progress. It fills a MetadataSnapshot part by part. Independent calls run in
// parallel, but only one thread at a time adds to the MetadataSnapshot.
class SnapshotBuilder {
 public:
  SnapshotBuilder(MetadataReader::Stubs& stubs, MetadataReader::Memory& memory, const Calls& calls,
                  layers::MetadataSnapshot& metadata);

  // The parts of the MetadataSnapshot: objects, then their holders.
  void ReadObjects(const std::string& name_space, std::span<const std::string> snapshotters);
  void ReadContainers(const std::string& name_space);
  void ReadLeases(const std::string& name_space);
  void ReadIngests(const std::string& name_space);
  void ReadSandboxes(const std::string& name_space);
  // Drops remembered data of objects that were not seen.
  void Forget();

 private:
  // The answer of a stream, complete unless there is an error.
  struct SnapshotList {
    std::vector<api::snapshots::Info> snapshots;
    std::optional<Error> error;
  };

  SnapshotList ListSnapshots(const std::string& name_space, const std::string& snapshotter) const;
  void ReadImages(const std::string& name_space);
  void ReadContent(const std::string& name_space);
  void AddSnapshots(const std::string& name_space, const std::string& snapshotter,
                    const SnapshotList& listed);
  void Missed(layers::Unread::What what, const std::string& name_space, const Error& error);
  template <typename Map>
  layers::Labels LabelsOf(const Map& labels);

  MetadataReader::Stubs& stubs_;
  MetadataReader::Memory& memory_;
  const Calls& calls_;
  layers::MetadataSnapshot& metadata_;
  std::vector<layers::Label> labels_;
  std::unordered_map<std::string, MetadataReader::Memory::Sized> usages_;
};

}  // namespace imagesweep::containerd
