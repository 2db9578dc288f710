#pragma once

#include <optional>
#include <stop_token>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/model/evidence.h"
#include "agent/model/image.h"

// The narrow doors between the decision and the world.  Adapters (cri/, kube/) implement them, the
// cycle uses them, tests bring small working fakes.  Every call takes a stop token and has a
// deadline of its own; a failed read is an error, never an empty set.

namespace imagesweep {

// What the runtime holds and who uses it.  Any thread; calls may block up to their deadline.
class RuntimeReader {
 public:
  virtual ~RuntimeReader() = default;
  virtual Result<RuntimeIdentity> Identity(const std::stop_token& stop) = 0;
  // Every image, complete or an error.
  virtual Result<std::vector<Image>> ListImages(const std::stop_token& stop) = 0;
  // One image by its full id; an empty optional when the runtime says that it has none.
  virtual Result<std::optional<Image>> ImageStatus(const ImageId& id,
                                                   const std::stop_token& stop) = 0;
  // Containers in every state, their mounts, sandboxes.  Complete or an error.
  virtual Result<RuntimeUse> ReadUse(const std::stop_token& stop) = 0;
  // Mount points of the image filesystems (ImageFsInfo), in the runtime's mount namespace.
  virtual Result<std::vector<std::string>> ImageFilesystems(const std::stop_token& stop) = 0;
};

enum class Removal { kRemoved, kWouldRemove };

// The one dangerous door.  The real ones are cri/image_remover.cpp and
// containerd/image_remover.cpp; dry run is another remover.  Images go in batches: BeginBatch,
// Remove for each; and Reclaim after one or several of them.
class ImageRemover {
 public:
  virtual ~ImageRemover() = default;
  // Once before the first batch of a run.
  virtual void BeginRun() {}
  // How many images one batch may have, which are looked at together for the last time …
  virtual std::size_t batch_size() const { return 1; }
  // … and how many of them may be on their way at once, each on a thread of its own.
  virtual std::size_t in_flight() const { return 1; }
  // Before the last look at a batch.  An error: now is no time to remove anything, and why.
  virtual Status BeginBatch(const std::vector<const Image*>& /*images*/,
                            const std::stop_token& /*stop*/) {
    return Done{};
  }
  // Asked with every image that a last look listed, as it does unless the batch began with one
  // image: whether what BeginBatch read holds now that these are there; no: the batch is to begin
  // again.
  virtual bool StillHolds(const std::vector<Image>& /*listed*/) { return true; }
  // Asked once after BeginBatch: why this image of the batch must stay after all; empty: it may go.
  virtual std::string ReasonToSpare(const Image& /*image*/) { return {}; }
  // Returns when the space of all that was removed so far is free; at once where each removal sees
  // to that itself, or there was none.
  virtual Status Reclaim(const std::stop_token& /*stop*/) { return Done{}; }
  // `image` is passed as ListImages gave it; only its full id goes to the runtime.
  virtual Result<Removal> Remove(const Image& image, const std::stop_token& stop) = 0;
};

// Takes one name from an image that has others.  CRI cannot: RemoveImage by a name removes the
// whole image on containerd and nothing on cri-dockerd.  The real one is
// containerd/name_remover.cpp.
class NameRemover {
 public:
  virtual ~NameRemover() = default;
  // `name` is one of image.tags.  Not done, and an error of kind kIncomplete that says why, when
  // the name stands for another image by now, is pinned, or was written later than `not_since`.
  virtual Status Drop(const Image& image, const ImageName& name, SystemTime not_since,
                      const std::stop_token& stop) = 0;
};

// Pods bound to this node.  Any thread.
class PodReader {
 public:
  virtual ~PodReader() = default;
  // A consistent list (no resourceVersion) that was complete at most `max_age` ago, read anew when
  // the last one is older, joined by union with what the watch knows.
  virtual Result<PodEvidence> Read(Millis max_age, const std::stop_token& stop) = 0;
};

// The workloads of the whole cluster.  Any thread.
class WorkloadReader {
 public:
  virtual ~WorkloadReader() = default;
  // All of them, or an error: when they cannot be read, when a part is missing, or when what is
  // known is older than it may be.  Without a watch what was listed a moment ago may answer, unless
  // that began at `newer_than` or before: a second look must not be given the list that it checks.
  virtual Result<WorkloadEvidence> Read(SteadyTime newer_than, const std::stop_token& stop) = 0;
};

class Filesystem {
 public:
  virtual ~Filesystem() = default;
  // kInvalid for figures that cannot be (capacity 0); available above capacity is clamped.
  virtual Result<DiskUsage> Stat(const std::string& mountpoint) = 0;
  // Called after removals and before Stat: completes what the file system has put off, on those
  // that give space back late (btrfs, XFS).  Bounded in time; whether it succeeds shows in Stat.
  virtual void Settle(const std::string& /*mountpoint*/) {}
};

}  // namespace imagesweep
