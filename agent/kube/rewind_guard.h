#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/base/clock.h"
#include "agent/base/result.h"

namespace imagesweep::kube {

// Notices an API server that went back in time: a stale one behind a load balancer, or an etcd that
// was restored from a backup.  resourceVersions of one resource are ordered numbers (KEP-5504).
// An older list is refused for 45 s; when a second list, so much later, is not older still, it is
// the new truth.  Pure; not for several threads at once.
class RewindGuard {
 public:
  // `listed`: of a consistent list; `watched`: the newest that the watch knew before that list was
  // asked for, or empty.  kIncomplete when the list is older than something seen before.
  Status Check(const std::string& listed, const std::string& watched, SteadyTime now);

 private:
  struct Back {
    std::uint64_t version = 0;
    SteadyTime since;
  };
  std::uint64_t newest_ = 0;
  std::optional<std::uint64_t> discounted_;  // the watch's, from before an accepted rewind
  std::optional<Back> back_;
};

}  // namespace imagesweep::kube
