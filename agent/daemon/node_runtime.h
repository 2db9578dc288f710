#pragma once

#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/daemon/restore.h"
#include "agent/imagestore/graph/graph_reader.h"
#include "agent/model/image.h"
#include "agent/model/image_build.h"
#include "agent/model/policy.h"
#include "agent/model/ports.h"
#include "agent/model/use_source.h"
#include "agent/runtime/cri/pull_secret.h"

namespace imagesweep {

// How to reach the container runtime of a node.
struct RuntimeOptions {
  std::string endpoint;     // --runtime-endpoint; empty: the first default socket that answers
  std::string host_prefix;  // mount point of the host's root, for detection; may be empty
  Millis timeout = std::chrono::minutes(2);  // for one read or one removal
  // An agent opens its runtime once, so it waits until the socket of `endpoint` answers.  A command
  // gets an adapter for CRI if nothing answers, and its first call gives the error.
  bool must_answer = false;
  // Called after every finished call with its name, its result ("OK"), and its duration, on the
  // thread of the call.  May be empty.
  std::function<void(std::string_view call, std::string_view result, double seconds)> observer = {};
};

// The container runtime of a node: all adapters for one runtime, on one connection.  A CRI runtime
// and the Docker Engine implement it.  Any thread, unless a port says otherwise.  The objects that
// it returns must not outlive it.
class NodeRuntime {
 public:
  virtual ~NodeRuntime() = default;

  virtual RuntimeReader& reader() = 0;
  // Removes images by the runtime's own call.
  virtual ImageRemover& remover() = 0;
  // Removes images in batches that free their space together.  Null: the runtime cannot.
  virtual ImageRemover* batch_remover() { return nullptr; }
  virtual NameRestorer& name_restorer() = 0;
  // The evidence of this runtime that images were pulled.
  virtual std::vector<OriginSource*> origin_sources() = 0;
  virtual BuildReader& builds() = 0;
  // Null: this runtime cannot write archives, so images that need one stay.
  virtual std::unique_ptr<ImageArchiver> MakeArchiver(const Archive& archive) = 0;
  virtual std::unique_ptr<UseSource> WatchUses(UseSource::Hooks hooks) = 0;

  // The layers of images, cached for the run.  Null: this runtime does not report them.
  virtual layers::LayerReader* layers() { return nullptr; }
  // Reads the layers again.  `configs`: also the config of each image, for the analysis.
  // kNotFound: this runtime does not report layers.
  virtual Result<std::shared_ptr<const layers::LayerGraph>> ReadLayers(
      std::span<const Image> images, bool configs, const std::stop_token& stop) = 0;
  // The digests of the unpacked layers of each image, lowest first.  Empty lists: not reported.
  virtual Result<std::vector<std::vector<std::string>>> ReadDiffIds(
      std::span<const Image> images, const std::stop_token& stop) = 0;

  // `secret`: for pulls from private registries.
  virtual Result<std::unique_ptr<RestoreBackend>> OpenRestore(cri::PullSecret secret,
                                                              const std::stop_token& stop) = 0;
};

// Connects to the runtime that `options` name.  A socket on which the Docker Engine answers is used
// through the Docker Engine API, and any other through CRI.  If the CRI runtime is cri-dockerd, the
// Docker Engine behind it is used, if its socket answers: only it lists all containers.  Errors are
// for the user: the cause and the fix.  `clock` must outlive the result.
Result<std::unique_ptr<NodeRuntime>> OpenNodeRuntime(const RuntimeOptions& options,
                                                     const Clock& clock,
                                                     const std::stop_token& stop);

}  // namespace imagesweep
