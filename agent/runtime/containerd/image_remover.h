#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/base/clock.h"
#include "agent/model/ports.h"
#include "agent/runtime/containerd/cached_graph_reader.h"
#include "agent/runtime/containerd/download_progress.h"
#include "agent/runtime/containerd/metadata_reader.h"
#include "agent/runtime/containerd/record_removal.h"

namespace imagesweep::containerd {

class Calls;
class ImageRecords;

// Removes images through containerd's own services: first all records of each image, without
// waiting, and then one garbage collection for all of them instead of one for each image.
// containerd locks its database during a collection, so pods start later then.
//
// Reads before a batch:
//   - Downloads in progress. A collection could wait for their content, so the remover waits for
//     them: 30 s in one run.
//   - The holders of images. They must be known completely, or the batch does not begin.
//   - The records of each image, from a graph that is at most 2 s old. It knows every image that
//     the recheck lists. For a batch of one image, BeginBatch lists the images.
// Each recheck reads the containers that the CRI does not list.
//
// An image goes through the CRI, with a call for each image, if
//   - downloads are still in progress after these 30 s,
//   - its records may belong to another image,
//   - content or snapshots could be read only in part, or
//   - containerd would still list it otherwise (see layers::SurvivesRemoveImage).
// A record is deleted only while it refers to the same image. The guard is asked before each
// deletion that cannot be undone. If it refuses, the deleted records are created again.
//
// Sources: containerd, core/metadata/db.go (GarbageCollect), plugins/services/images (Delete:
// `sync`, and `target` since 2.0). CRI RemoveImage of 2.0.0 to 2.0.4 does not wait for the
// collection (fixed in 2.0.5). The lease here waits on every version. Remove may be called on any
// thread between one BeginBatch and the next.
class BatchImageRemover final : public ImageRemover {
 public:
  struct Options {
    std::string cri_namespace = "k8s.io";
    Millis timeout = std::chrono::minutes(2);
    // How long one run waits for downloads. A download without progress for this time is dead.
    Millis patience = std::chrono::seconds(30);
    // A collection ends when all files are deleted.
    Millis collection_timeout = std::chrono::minutes(10);
  };
  // `runtime`, `layers`, and `by_cri` must belong to the same containerd and outlive this object.
  BatchImageRemover(const std::shared_ptr<grpc::Channel>& channel, RuntimeReader& runtime,
                    CachedGraphReader& layers, ImageRemover& by_cri, const Clock& clock,
                    Options options);
  ~BatchImageRemover() override;

  void BeginRun() override;
  // As many as through the CRI, if all images go through it.
  std::size_t batch_size() const override;
  // containerd writes records one by one, but answers other calls meanwhile.
  std::size_t in_flight() const override { return downloading_ ? by_cri_.in_flight() : 4; }
  bool StillHolds(const std::vector<Image>& listed) override;
  std::string ReasonToSkip(const Image& image) override;
  Status BeginBatch(const std::vector<const Image*>& images, const std::stop_token& stop) override;
  Result<std::vector<ImageReference>> ReadNonCriContainers(const std::vector<std::string>& listed,
                                                           const std::stop_token& stop) override;
  Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                         const std::stop_token& stop) override;
  Status Reclaim(const std::stop_token& stop) override;

 private:
  // A container in containerd that the CRI does not list.
  struct NonCriContainer {
    std::string id;
    std::string image;  // a name, which may refer to another image now
    std::string snapshotter;
    std::string snapshot;  // its own; empty: none
    // IDs of the images that it needs: the image that it runs on, and the image whose record it
    // names.
    std::vector<std::string> images = {};

    std::string key() const { return id + '\n' + image + '\n' + snapshotter + '\n' + snapshot; }
  };

  // `alone`: no recheck will list the other images.
  Result<CachedGraphReader::Known> ReadRecords(bool alone, const std::stop_token& stop);
  // Sets downloading_.
  Status WaitForDownloads(const std::stop_token& stop);
  Result<std::vector<NonCriContainer>> ListContainers(const std::stop_token& stop);
  // Removes those in `listed` from `all`, and finds the images of the rest.
  Status KeepNonCri(std::vector<NonCriContainer>& all, const std::vector<std::string>& listed,
                    const std::stop_token& stop);
  // False: not all of its snapshots exist yet.
  Result<bool> FindImages(NonCriContainer& container, const Calls& calls);
  Result<Removal> RemoveByAlias(const Image& image, const std::vector<Record>& records,
                                ImageRecords& store, DeletionGuard& guard,
                                const std::stop_token& stop);

  const std::unique_ptr<MetadataReader::Stubs> stubs_;
  RuntimeReader& runtime_;
  CachedGraphReader& layers_;
  ImageRemover& by_cri_;
  const Clock& clock_;
  const Options options_;
  // For the batch: the graph, all images that it knows, and their IDs by position.
  std::shared_ptr<const layers::LayerGraph> graph_;
  std::shared_ptr<const CachedGraphReader::Positions> known_;
  ByImage<std::string> ids_;
  // The images that known containers need, by key(). They do not change.
  std::unordered_map<std::string, std::vector<std::string>> needed_;
  // For the batch, by image ID. Images without an entry go through the CRI.
  std::unordered_map<std::string, std::vector<Record>> records_;
  std::unordered_map<std::string, std::string> skipped_;  // the reasons, for the batch, by image ID
  DownloadProgress downloads_;
  Millis waited_{0};                   // for downloads, in this run
  bool downloading_ = false;           // still, after the maximum waiting time of this run
  std::atomic<bool> deleted_ = false;  // a record since Reclaim, so that there may be garbage
  int leases_ = 0;
};

}  // namespace imagesweep::containerd
