#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/base/clock.h"
#include "agent/base/result.h"

namespace imagesweep::kube {

// Detects an API server that went back in time: a stale one behind a load balancer, or an etcd that
// was restored from a backup. The resourceVersions of one resource are ordered numbers (KEP-5504).
// The guard refuses an older list for 45 s. If a later list is not even older, the guard accepts it
// as the new state. Pure; not thread-safe.
class RewindGuard {
 public:
  // `listed` is the version of a consistent list. `watched` is the newest version that the watch
  // knew before the list was requested, or empty. kIncomplete if the list is older than something
  // seen before.
  Status Check(const std::string& listed, const std::string& watched, SteadyTime now);

 private:
  struct Back {
    std::uint64_t version = 0;
    SteadyTime since;
  };
  std::uint64_t newest_ = 0;
  std::optional<std::uint64_t> discounted_;  // the watch's version from before an accepted rewind
  std::optional<Back> back_;
};

}  // namespace imagesweep::kube
