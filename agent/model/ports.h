#pragma once

#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/model/evidence.h"
#include "agent/model/image.h"
#include "agent/model/origin_proof.h"

// The interfaces to the outside.  Adapters (runtime, kube) implement them, a run uses them, and
// tests use small working fakes.  Every call to another process takes a stop token and has its own
// deadline.  A failed read is an error, never an empty set.

namespace imagesweep {

// The images of the runtime and their users.  Any thread.  Calls may block until their deadline.
class RuntimeReader {
 public:
  virtual ~RuntimeReader() = default;
  virtual Result<RuntimeIdentity> Identity(const std::stop_token& stop) = 0;
  // All images, or an error.
  virtual Result<std::vector<Image>> ListImages(const std::stop_token& stop) = 0;
  // One image by its full ID.  Empty if the runtime reports that it does not have the image.
  virtual Result<std::optional<Image>> ImageStatus(const ImageId& id,
                                                   const std::stop_token& stop) = 0;
  // All containers in any state with their mounts, and all sandboxes, or an error.
  virtual Result<RuntimeUse> ReadUse(const std::stop_token& stop) = 0;
  // All containers with their mounts, or an error: `references`, `container_pods`, `containers` and
  // `ids` of RuntimeUse.  A single call to the runtime if no container is new, because a removal
  // must follow within 50 ms of this call.
  virtual Result<RuntimeUse> ReadContainers(const std::stop_token& stop) = 0;
  // Mount points of the image filesystems (ImageFsInfo), in the runtime's mount namespace.
  virtual Result<std::vector<std::string>> ImageFilesystems(const std::stop_token& stop) = 0;
};

// One source of evidence for the origin of images: labels of the runtime, records of the kubelet.
// Any thread.  Read-only.
class OriginSource {
 public:
  virtual ~OriginSource() = default;
  // Returns the proofs for each of `images`, which is one answer of ListImages of `runtime`.  A
  // source that this node does not have returns no proofs.  An error: it exists and cannot be read.
  virtual Result<OriginFindings> Find(std::span<const Image> images, const RuntimeIdentity& runtime,
                                      const std::stop_token& stop) = 0;
};

// Joins all sources.
class OriginReader {
 public:
  virtual ~OriginReader() = default;
  // Sets the origin of every image.  Returns warnings about sources that cannot be read.  Without
  // their evidence the origin stays unknown, and such images stay.
  virtual std::vector<std::string> Fill(std::span<Image> images, const RuntimeIdentity& runtime,
                                        const std::stop_token& stop) = 0;
};

// Asks the registry right before a removal whether it still has the image.
class RegistryVerifier {
 public:
  virtual ~RegistryVerifier() = default;
  // Returns an origin of kRegistry if the registry has the manifest with the digest of
  // image.origin.pull_by.  Any error (kNotFound: the registry does not have it) keeps the image.
  // Blocks until its own deadline.  One thread at a time.
  virtual Result<Origin> Verify(const Image& image, const std::stop_token& stop) = 0;
};

// The result of a removal that did not fail.
struct Removal {
  enum class Kind {
    kRemoved,
    kWouldRemove,
    kSkipped,         // the guard refused, and the image is complete
    kInUseElsewhere,  // the runtime reports that an unlisted container uses it
  };
  Kind kind = Kind::kRemoved;
  std::string why = {};  // empty for kRemoved and kWouldRemove

  static const Removal kRemoved, kWouldRemove;
  static Removal Skipped(std::string why) { return {Kind::kSkipped, std::move(why)}; }
  static Removal InUseElsewhere(std::string why) { return {Kind::kInUseElsewhere, std::move(why)}; }
  friend bool operator==(const Removal&, const Removal&) = default;
};
inline const Removal Removal::kRemoved{Removal::Kind::kRemoved};
inline const Removal Removal::kWouldRemove{Removal::Kind::kWouldRemove};

// Called before each step that cannot be undone: rechecks the users of the image, unless the last
// recheck began less than 50 ms ago.
class DeletionGuard {
 public:
  virtual ~DeletionGuard() = default;
  // Returns the reason against the step.  An empty text allows the step, which the caller must then
  // take at once.  After a reason, the caller stops and restores the names that it has removed.
  // Any thread.
  virtual std::string WhyNot() = 0;
  // True if the last permission is still valid, for a caller that called the runtime after it.
  // False: call WhyNot again.  Any thread.
  virtual bool StillHolds() = 0;
};

// The port behind which images are deleted.  The calls that delete are in three files:
//   agent/runtime/cri/delete.cpp         RemoveImage
//   agent/runtime/containerd/delete.cpp  Images.Delete, and Leases.Delete of our own leases
//   agent/runtime/docker/delete.cpp      DELETE /images/{name}
// tests/tools/test_deleting_calls.py finds no other.  A dry run uses DryRunRemover.
// Images are removed in batches: BeginBatch, Remove for each image, and Reclaim after one or
// several of them.
class ImageRemover {
 public:
  virtual ~ImageRemover() = default;
  // Once before the first batch of a run.
  virtual void BeginRun() {}
  // The maximum number of images in one batch, which are rechecked together.
  virtual std::size_t batch_size() const { return 1; }
  // The maximum number of parallel removals, each on its own thread.
  virtual std::size_t in_flight() const { return 1; }
  // Called before the first recheck of a batch.  An error tells why no image can be removed now.
  virtual Status BeginBatch(const std::vector<const Image*>& /*images*/,
                            const std::stop_token& /*stop*/) {
    return Done{};
  }
  // Called in each recheck, right after the CRI listed the containers and sandboxes `listed`.
  // Returns the references of all other containers of the runtime.  One recheck at a time, while
  // other threads may call Remove.
  virtual Result<std::vector<ImageReference>> ReadNonCriContainers(
      const std::vector<std::string>& /*listed*/, const std::stop_token& /*stop*/) {
    return std::vector<ImageReference>();
  }
  // Called with all images that a recheck listed (a batch of one image does not list them): whether
  // the data that BeginBatch read is still valid.  False: the batch must begin again.  Other
  // threads may call Remove at the same time.
  virtual bool StillHolds(const std::vector<Image>& /*listed*/) { return true; }
  // Called once after BeginBatch: why this image of the batch must stay.  Empty: it can be removed.
  virtual std::string ReasonToSkip(const Image& /*image*/) { return {}; }
  // Returns when the space of all removed images is free.  Returns at once if each removal frees
  // its space itself, or nothing was removed.
  virtual Status Reclaim(const std::stop_token& /*stop*/) { return Done{}; }
  // `image` is as ListImages returned it.  The CRI gets only its full ID.  Calls
  // `guard` right before each call that cannot be undone.
  virtual Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                                 const std::stop_token& stop) = 0;
};

// Restores the names of an image after an incomplete removal.  Any thread.
class NameRestorer {
 public:
  virtual ~NameRestorer() = default;
  // `image` is as the runtime lists it now.  A name that now refers to another image is left
  // unchanged, without an error.
  virtual Status RestoreNames(const Image& image, const std::vector<std::string>& names,
                              const std::stop_token& stop) = 0;
};

// Pods bound to this node.  Any thread.
class PodReader {
 public:
  virtual ~PodReader() = default;
  // Returns a consistent list (no resourceVersion) that was complete at most `max_age` ago, in
  // union with the watch.  Reads a new list if the last one is older.
  virtual Result<PodEvidence> Read(Millis max_age, const std::stop_token& stop) = 0;
  // True if pods that are bound after the last list are known without a new list.
  virtual bool watches() const { return false; }
};

// The workloads of the whole cluster.  Any thread.
class WorkloadReader {
 public:
  virtual ~WorkloadReader() = default;
  // Returns all of them.  An error if they cannot be read, a part is missing, or the known state is
  // too old.  Without a watch, a recent list may answer, unless it began at or before `newer_than`:
  // a recheck must not get the list that it checks.
  virtual Result<WorkloadEvidence> Read(SteadyTime newer_than, const std::stop_token& stop) = 0;
};

class Filesystem {
 public:
  virtual ~Filesystem() = default;
  // kInvalid for impossible figures (capacity 0).  Clamps available to capacity.
  virtual Result<DiskUsage> Stat(const std::string& mountpoint) = 0;
  // Called after removals and before Stat: completes the delayed work of file systems that free
  // space late (btrfs, XFS).  Bounded in time.  Stat shows the result.
  virtual void Sync(const std::string& /*mountpoint*/) {}
};

// Writes a copy of an image that cannot be pulled again.  One thread at a time.  Blocks until the
// copy is written.
class ImageArchiver {
 public:
  virtual ~ImageArchiver() = default;
  // Archive() calls `progress` on its thread after each part of an image.
  virtual void OnProgress(const std::function<void()>& /*progress*/) {}
  // Returns the location of the complete and durable copy.  On an error there is no copy, so the
  // image must stay.
  virtual Result<std::string> Archive(const Image& image, const std::stop_token& stop) = 0;
  // True if the copy that this archiver made is still complete.  Any thread, but not during
  // Archive().
  virtual bool Has(const Image& /*image*/) { return false; }
};

}  // namespace imagesweep
