#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <utility>
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
  // The containers alone, with their mounts: `references`, `container_pods`, `containers` and `ids`
  // of RuntimeUse.  One call to the runtime where no container is new to us, because a removal has
  // to follow within 50 ms of asking.  Complete or an error.
  virtual Result<RuntimeUse> ReadContainers(const std::stop_token& stop) = 0;
  // Mount points of the image filesystems (ImageFsInfo), in the runtime's mount namespace.
  virtual Result<std::vector<std::string>> ImageFilesystems(const std::stop_token& stop) = 0;
};

// What became of a removal that did not fail.
struct Removal {
  enum class Kind {
    kRemoved,
    kWouldRemove,
    kSkipped,         // the guard said no, and nothing of the image is missing
    kInUseElsewhere,  // the runtime says that a container uses it which nobody lists
  };
  Kind kind = Kind::kRemoved;
  std::string why = {};  // empty when it was removed, or would have been

  static const Removal kRemoved, kWouldRemove;
  static Removal Skipped(std::string why) { return {Kind::kSkipped, std::move(why)}; }
  static Removal InUseElsewhere(std::string why) { return {Kind::kInUseElsewhere, std::move(why)}; }
  friend bool operator==(const Removal&, const Removal&) = default;
};
inline const Removal Removal::kRemoved{Removal::Kind::kRemoved};
inline const Removal Removal::kWouldRemove{Removal::Kind::kWouldRemove};

// Stands before each step that cannot be undone: it rechecks who uses the image, unless the last
// recheck was asked for less than 50 ms ago.
class DeletionGuard {
 public:
  virtual ~DeletionGuard() = default;
  // Empty: the step may be taken, at once, with nothing between that takes time.  Else why not;
  // then nothing more of this image may go, and what went is made again.  Any thread.
  virtual std::string WhyNot() = 0;
  // Whether the last "yes" still holds, for who had to ask the runtime something after it; no: ask
  // WhyNot again.  Any thread.
  virtual bool StillHolds() = 0;
};

// The one dangerous door.  The calls that delete are in cri/image_remover.cpp and
// containerd/delete.cpp; dry run is another remover.  Images go in batches: BeginBatch,
// Remove for each; and Reclaim after one or several of them.
class ImageRemover {
 public:
  virtual ~ImageRemover() = default;
  // How many images one batch may have, which are rechecked together …
  virtual std::size_t batch_size() const { return 1; }
  // … and how many of them may be on their way at once, each on a thread of its own.
  virtual std::size_t in_flight() const { return 1; }
  // Before the first recheck of a batch.  An error: now is no time to remove anything, and why.
  virtual Status BeginBatch(const std::vector<const Image*>& /*images*/,
                            const std::stop_token& /*stop*/) {
    return Done{};
  }
  // Asked in each recheck, right after the CRI listed the containers and sandboxes `listed`: the
  // references of all other containers that the runtime knows.  One recheck at a time, while others
  // may call Remove.
  virtual Result<std::vector<ImageReference>> ReadNonCriContainers(
      const std::vector<std::string>& /*listed*/, const std::stop_token& /*stop*/) {
    return std::vector<ImageReference>();
  }
  // Asked with every image that a recheck listed, as it does unless the batch began with one
  // image: whether what BeginBatch read holds now that these are there; no: the batch is to begin
  // again.  While others may call Remove.
  virtual bool StillHolds(const std::vector<Image>& /*listed*/) { return true; }
  // Asked once after BeginBatch: why this image of the batch must stay after all; empty: it may go.
  virtual std::string ReasonToSpare(const Image& /*image*/) { return {}; }
  // Returns when the space of all that was removed so far is free; at once where each removal sees
  // to that itself, or there was none.
  virtual Status Reclaim(const std::stop_token& /*stop*/) { return Done{}; }
  // `image` is passed as ListImages gave it; only its full id goes to the runtime.  Asks `guard`
  // right before each call that cannot be undone.
  virtual Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                                 const std::stop_token& stop) = 0;
};

// Gives an image names back that a removal took which did not end.  Any thread.
class NameRestorer {
 public:
  virtual ~NameRestorer() = default;
  // `image` as the runtime lists it now.  A name that stands for another image by now is left
  // alone, without an error.
  virtual Status GiveBack(const Image& image, const std::vector<std::string>& names,
                          const std::stop_token& stop) = 0;
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
  // Whether a pod that was bound since the last list is known without a new one.
  virtual bool watches() const { return false; }
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
};

}  // namespace imagesweep
