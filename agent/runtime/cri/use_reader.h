#pragma once

#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/evidence.h"
#include "agent/runtime/cri/call.h"
#include "agent/runtime/cri/memory.h"
#include "agent/runtime/cri/stubs.h"

namespace imagesweep::cri {

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
