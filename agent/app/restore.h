#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/model/image.h"
#include "agent/model/ports.h"
#include "agent/report/restore.h"

namespace imagesweep {

// What a restore asks of the runtime.  Any thread, several calls at once.
class RestoreDoor {
 public:
  virtual ~RestoreDoor() = default;
  virtual Result<std::vector<Image>> ListImages(const std::stop_token& stop) = 0;
  virtual Status Pull(const std::string& reference, const std::stop_token& stop) = 0;
  // Whether names can be made without a registry: AddNames and Import then work.
  virtual bool makes_names() const = 0;
  // Both return what there is to know of names that the image did not get.
  virtual Result<std::vector<std::string>> AddNames(const std::string& from,
                                                    const std::vector<std::string>& names,
                                                    const std::stop_token& stop) = 0;
  // `names`: all that the image had.  An archive with any other name is refused.
  virtual Result<std::vector<std::string>> Import(const std::string& archive, const std::string& id,
                                                  const std::vector<std::string>& names,
                                                  const std::stop_token& stop) = 0;
};

// How full a restore may make the image filesystem.
struct RestoreSpace {
  Filesystem* filesystem = nullptr;   // null: it is not looked at
  std::vector<std::string> mounts;    // of the image filesystems
  // What stays available at least.  The kubelet evicts pods below 15 percent of the image filesystem
  // (kubelet, evictionHard, imagefs.available).
  int min_available_percent = 15;
};

struct RestoreOptions {
  int parallel = 3;                                          // images at once
  RestoreSpace space = {};
  std::function<void(const RestoreReport::Image&)> on_done;  // one call at a time, any thread
};

// Marks what the node has with all its names as kAlreadyHere, and what the runtime cannot bring
// back as kCannot; changes nothing on the node.  An error: the images could not be listed.
Status CompareWithNode(RestoreReport& report, RestoreDoor& door, const std::stop_token& stop);

// Brings back what CompareWithNode() left as kWouldRestore: by digest, so that it is the same image
// and not what a tag means today, and then with the names that it had.  Names with the digest of
// another manifest of the image are pulled.  Without makes_names() every tag is, and the report
// says so when the registry means another image by it now.
// What fails from one source is tried from the next.  No image is begun that would leave less room
// than `options.space` says, and all that is under way is cancelled once there is less.
// Ends with every image restored or failed; may be stopped or killed and called again at any point.
void Restore(RestoreReport& report, RestoreDoor& door, const Clock& clock,
             const RestoreOptions& options, const std::stop_token& stop);

}  // namespace imagesweep
