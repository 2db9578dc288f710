#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/guarded.h"
#include "agent/base/result.h"
#include "agent/model/evidence.h"
#include "agent/runtime/cri/call.h"
#include "agent/runtime/cri/containers.h"
#include "agent/runtime/cri/stubs.h"

namespace imagesweep::cri {

// Answers of a runtime that cannot change and are read only once: the streams that it offers, the
// detail of a container while it is listed, and the pause image of a sandbox while it is listed.
// Thread-safe. Belongs to one identity; a new identity clears it.
class RuntimeMemory {
 public:
  using Details = std::map<std::string, ContainerDetail>;                 // by container id
  using SandboxImages = std::map<std::string, std::vector<std::string>>;  // by sandbox id

  std::atomic<bool> streams_images{true};
  std::atomic<bool> streams_containers{true};
  std::atomic<std::size_t> images_without_id{0};  // in the last list of images
  Guarded<Details> details;
  Guarded<SandboxImages> sandboxes;

  void BelongTo(const RuntimeIdentity& identity) {
    const bool same = identity_.With([&](auto& current) {
      const bool is_same = current == identity;
      current = identity;
      return is_same;
    });
    if (same) return;
    streams_images = true;
    streams_containers = true;
    images_without_id = 0;
    details.With([](auto& all) { all.clear(); });
    sandboxes.With([](auto& all) { all.clear(); });
  }

 private:
  Guarded<std::optional<RuntimeIdentity>> identity_;
};

// Reads everything in the runtime that needs an image, once. Sandboxes come first and containers
// last, because containers are the most likely to be new.
class UseReader {
 public:
  UseReader(const Connection& connection, RuntimeMemory& memory, const std::stop_token& stop);

  Result<RuntimeUse> Read();
  // Reads the containers only: one call, unless a container is not remembered.
  Result<RuntimeUse> ReadContainersAlone();

 private:
  Status ReadConfig();
  Status ReadSandboxes();
  Status ReadContainers();
  struct ContainersRead {
    RuntimeMemory::Details known;
    std::set<std::string> gone;  // disappeared between the list and the status call
    bool asked = false;          // a status call was needed after the last list
  };
  Status ReadContainer(const v1::Container& container, ContainersRead& read);
  Result<std::vector<v1::Container>> ListContainers() const;
  // Empty: the container or sandbox disappeared after it was listed.
  Result<std::optional<ContainerDetail>> DetailOf(const std::string& container) const;
  Result<std::optional<std::vector<std::string>>> ImagesOf(const std::string& sandbox);

  v1::RuntimeService::Stub& runtime_;
  RuntimeMemory& memory_;
  const Calls calls_;
  RuntimeUse use_;
};

}  // namespace imagesweep::cri
