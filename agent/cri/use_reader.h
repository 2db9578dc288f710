#pragma once

#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/cri/call.h"
#include "agent/cri/memory.h"
#include "agent/cri/stubs.h"
#include "agent/model/evidence.h"

namespace imagesweep::cri {

// One look at everything in the runtime that needs an image.  Sandboxes first and containers last,
// so that what is most likely to be new is looked at latest.
class UseReader {
 public:
  UseReader(const Connection& connection, RuntimeMemory& memory, const std::stop_token& stop);

  Result<RuntimeUse> Read();
  // The last part of it: one call, unless there are containers that are not remembered.
  Result<RuntimeUse> ReadContainersAlone();

 private:
  Status ReadConfig();
  Status ReadSandboxes();
  Status ReadContainers();
  struct ContainersRead {
    RuntimeMemory::Details known;
    std::set<std::string> gone;  // went away between the list and the question
    bool asked = false;          // something had to be asked since the last list
  };
  Status ReadContainer(const v1::Container& container, ContainersRead& read);
  Result<std::vector<v1::Container>> ListContainers() const;
  // An empty optional: the container, or sandbox, went away since it was listed.
  Result<std::optional<ContainerDetail>> DetailOf(const std::string& container) const;
  Result<std::optional<std::vector<std::string>>> ImagesOf(const std::string& sandbox);

  v1::RuntimeService::Stub& runtime_;
  RuntimeMemory& memory_;
  const Calls calls_;
  RuntimeUse use_;
};

}  // namespace imagesweep::cri
