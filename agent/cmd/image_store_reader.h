#pragma once

#include <stop_token>
#include <string>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/model/image_stores.h"

namespace imagesweep {

// Reads the image store of the runtime at `endpoint`, its containers, and its file systems; removes
// nothing, and needs neither Kubernetes nor a state directory.  `timeout` is for one request.  An
// error of any source that shows uses is an error of the store.  kIncomplete: the runtime is
// cri-dockerd, which does not list all containers.
//
// If the path of the socket begins with /proc/PID/root, for example of a runtime in a container,
// the directories of the runtime are looked up there, too.
Result<ImageStore> ReadImageStore(const std::string& endpoint, Millis timeout, const Clock& clock,
                                  const std::stop_token& stop);

}  // namespace imagesweep
