#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/base/clock.h"
#include "agent/containerd/collector.h"
#include "agent/containerd/download_progress.h"
#include "agent/containerd/recent_graph.h"
#include "agent/containerd/record_removal.h"
#include "agent/model/ports.h"

namespace imagesweep::containerd {

class Calls;
class ImageRecords;

// Removes images by containerd's own services: all records of each, without waiting, and then one
// garbage collection for all of them, in place of one for each image.  containerd holds a lock
// on its database while it collects, so pods start later then.
//
// Before a batch is known again that no download is under way, whose content a collection could
// wait for.  One run waits for downloads for 30 s in all; after that its images go through the CRI,
// one after the other, as long as there are downloads.  Before a batch is also known which
// containers there are, and what records an image has: these from a graph that is then at most 2 s
// old and knows every image that the recheck finds (for one image alone: that BeginBatch finds).
// Containers that the CRI does not list are read in each recheck.  A record is deleted only while it
// means the same image, the last one only when the guard lets it; what went before is made again
// when it does not.  An image whose records cannot be told from another image's goes through the
// CRI, as do those that containerd would otherwise go on listing (see layers::SurvivesRemoveImage),
// and all while content or snapshots could be read only in part.  Who holds an image must be known
// whole.
//
// Source: containerd, core/metadata/db.go (GarbageCollect), plugins/services/images (Delete:
// `sync`, and from 2.0 on `target`); CRI RemoveImage of 2.0.0 to 2.0.4 does not wait for the
// collection (fixed in 2.0.5), the lease here does on every version.  Remove: any thread, between
// BeginBatch and the next one.
class BatchImageRemover final : public ImageRemover {
 public:
  struct Options {
    std::string cri_namespace = "k8s.io";
    Millis timeout = std::chrono::minutes(2);
    // How long one run waits for downloads to end; one that made no progress for as long is dead.
    Millis patience = std::chrono::seconds(30);
    // A collection ends when all files are gone.
    Millis collection_timeout = std::chrono::minutes(10);
  };
  // `runtime`, `layers` and `by_cri` are the same containerd's, and outlive this.
  BatchImageRemover(const std::shared_ptr<grpc::Channel>& channel, RuntimeReader& runtime,
                    RecentGraph& layers, ImageRemover& by_cri, const Clock& clock, Options options);
  ~BatchImageRemover() override;

  void BeginRun() override;
  // As many as the CRI's way has, where all go by it.
  std::size_t batch_size() const override;
  // containerd writes one record after the other, but answers meanwhile.
  std::size_t in_flight() const override { return downloading_ ? by_cri_.in_flight() : 4; }
  bool StillHolds(const std::vector<Image>& listed) override;
  std::string ReasonToSpare(const Image& image) override;
  Status BeginBatch(const std::vector<const Image*>& images, const std::stop_token& stop) override;
  Result<std::vector<ImageReference>> ReadNonCriContainers(const std::vector<std::string>& listed,
                                                           const std::stop_token& stop) override;
  Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                         const std::stop_token& stop) override;
  Status Reclaim(const std::stop_token& stop) override;

 private:
  // A container of containerd's that the CRI does not list.
  struct NonCriContainer {
    std::string id;
    std::string image;  // a name, which may mean another image by now
    std::string snapshotter;
    std::string snapshot;  // its own; empty: it has none
    // Ids of the images that it needs: that it runs on, and whose record it names.
    std::vector<std::string> images = {};

    std::string key() const { return id + '\n' + image + '\n' + snapshotter + '\n' + snapshot; }
  };

  // `alone`: no recheck will list what else there is.
  Result<RecentGraph::Known> ReadRecords(bool alone, const std::stop_token& stop);
  // Sets downloading_.
  Status WaitForDownloads(const std::stop_token& stop);
  Result<std::vector<NonCriContainer>> ListContainers(const std::stop_token& stop);
  // Takes out of `all` those in `listed`, and finds the images of the rest.
  Status KeepNonCri(std::vector<NonCriContainer>& all, const std::vector<std::string>& listed,
                    const std::stop_token& stop);
  // False: not all of it is there yet.
  Result<bool> FindImages(NonCriContainer& container, const Calls& calls);
  Result<Removal> RemoveByAlias(const Image& image, const std::vector<Record>& records,
                                ImageRecords& store, DeletionGuard& guard,
                                const std::stop_token& stop);

  const std::unique_ptr<Collector::Stubs> stubs_;
  RuntimeReader& runtime_;
  RecentGraph& layers_;
  ImageRemover& by_cri_;
  const Clock& clock_;
  const Options options_;
  // Of the batch: the graph, all images that it knows, and their ids by their positions.
  std::shared_ptr<const layers::LayerGraph> graph_;
  std::shared_ptr<const RecentGraph::Positions> known_;
  std::vector<std::string> ids_;
  // What containers need that are known already, by key(): it does not change.
  std::unordered_map<std::string, std::vector<std::string>> needed_;
  // Of the batch, by image id; those that are not here go through the CRI.
  std::unordered_map<std::string, std::vector<Record>> records_;
  std::unordered_map<std::string, std::string> spared_;  // why, of the batch, by image id
  DownloadProgress downloads_;
  Millis waited_{0};          // for downloads, in this run
  bool downloading_ = false;  // still, after all the time that this run may wait
  std::atomic<bool> deleted_ = false;  // something since Reclaim, so that there may be garbage
  int leases_ = 0;
};

}  // namespace imagesweep::containerd
