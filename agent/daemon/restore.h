#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/model/image.h"
#include "agent/model/ports.h"
#include "agent/report/documents/restore.h"

namespace imagesweep {

// The calls of a restore to the runtime.  Any thread, several calls at once.
class RestoreBackend {
 public:
  virtual ~RestoreBackend() = default;
  virtual Result<std::vector<Image>> ListImages(const std::stop_token& stop) = 0;
  virtual Status Pull(const std::string& reference, const std::stop_token& stop) = 0;
  // True if names can be added without a registry, so that AddNames and Import work.
  virtual bool makes_names() const = 0;
  // Both return notes about names that the image did not get.
  virtual Result<std::vector<std::string>> AddNames(const std::string& from,
                                                    const std::vector<std::string>& names,
                                                    const std::stop_token& stop) = 0;
  // `names`: all names that the image had.  An archive with another name is rejected.
  virtual Result<std::vector<std::string>> Import(const std::string& archive, const std::string& id,
                                                  const std::vector<std::string>& names,
                                                  const std::stop_token& stop) = 0;
};

// Limits how full a restore may make the image filesystem.
struct RestoreSpace {
  Filesystem* filesystem = nullptr;  // null: not checked
  std::vector<std::string> mounts;   // of the image filesystems
  // The kubelet evicts pods below 15 percent of the image filesystem (kubelet, evictionHard,
  // imagefs.available).
  int min_available_percent = 15;
};

struct RestoreOptions {
  int parallel = 3;  // images at once
  RestoreSpace space = {};
  std::function<void(const RestoreReport::Image&)> on_done;  // one call at a time, any thread
};

// Marks images that the node has with all their names as kAlreadyHere, and images that the
// runtime cannot restore as kCannot.  Changes nothing on the node.  Error: the images cannot be
// listed.
Status CompareWithNode(RestoreReport& report, RestoreBackend& backend, const std::stop_token& stop);

// Restores the images that CompareWithNode() left as kWouldRestore: by digest, because a tag may
// name another image today, and then with their names.  Pulls names with the digest of another
// manifest of the image.  Without makes_names() it pulls every tag, and notes tags that name
// another image in the registry now.  If one source fails, it tries the next.  Starts no image that
// would leave less space than `options.space` requires, and cancels all pulls when less space is
// available.  Ends with every image restored or failed.  May be stopped or killed at any point and
// called again.
void Restore(RestoreReport& report, RestoreBackend& backend, const Clock& clock,
             const RestoreOptions& options, const std::stop_token& stop);

}  // namespace imagesweep
