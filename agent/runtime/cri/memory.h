#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/guarded.h"
#include "agent/model/evidence.h"
#include "agent/runtime/cri/containers.h"

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

}  // namespace imagesweep::cri
