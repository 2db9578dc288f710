#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.h"
#include "agent/layers/key.h"
#include "agent/layers/labels.h"

namespace imagesweep::layers {

using Space = std::uint16_t;  // position in World::namespaces() or World::snapshotters()

enum class SnapshotKind : std::uint8_t { kView, kActive, kCommitted };

// Space and inodes of one snapshot, as Snapshots.Usage says.
struct Usage {
  std::uint64_t bytes = 0;
  std::uint64_t inodes = 0;
};

// A label's or a lease's pointer to an object of its own namespace.
struct Reference {
  Key key = kNoKey;
  Space snapshotter = 0;  // for snapshots
  ObjectType type = ObjectType::kContent;
  bool back = false;  // the other one holds us
};

// A range of World::references().
struct References {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

struct ImageRecord {
  Key name = kNoKey, target = kNoKey;
  References references;
  Space space = 0;
  bool expired = false;
};

struct Blob {
  std::uint64_t bytes = 0;
  SystemTime created;
  Key digest = kNoKey;
  References references;
  Space space = 0;
  bool root = false;
};

// A label of a pull: the blob was in these repositories of a registry.  Only a pull writes it
// (containerd, core/remotes/docker/handler.go, AppendDistributionSourceLabel).
struct SourceLabel {
  Key blob = kNoKey;          // digest
  Key host = kNoKey;          // of the registry, without its port
  Key repositories = kNoKey;  // paths with commas between them: "library/nginx,mirror/nginx"
};

struct Snapshot {
  static constexpr std::uint64_t kUnread = ~std::uint64_t{0};
  std::uint64_t bytes = kUnread;  // kUnread: its usage was not read
  Key key = kNoKey, parent = kNoKey;
  References references;
  std::uint32_t inodes = 0;
  Space space = 0, snapshotter = 0;
  SnapshotKind kind = SnapshotKind::kCommitted;
  bool root = false;
};

struct Container {
  Key id = kNoKey, image = kNoKey, snapshot = kNoKey;  // snapshot: kNoKey when it has none
  References references;
  Space space = 0, snapshotter = 0;
};

// A lease that has not expired, an ingest, or a sandbox with labels: `references` are what it
// holds.
struct Holder {
  enum class Kind : std::uint8_t { kLease, kIngest, kSandbox };
  Key id = kNoKey;
  References references;
  Space space = 0;
  Kind kind = Kind::kLease;
  bool flat = false;         // only what it names
  bool build_cache = false;  // BuildKit's: one flat lease for each cache record
};

// What one step of a build was, from the image's config.
struct HistoryStep {
  std::string_view created_by;
  bool empty_layer = false;
};

// From an image's config; all of it optional, for the analysis and for records without labels.
struct ImageFacts {
  struct Step {
    Key created_by = kNoKey;
    bool empty_layer = false;
  };
  Key id = kNoKey;
  std::vector<Key> manifests;  // digests of manifests with this config
  std::vector<Key> diff_ids;   // of the layers, lowest first
  std::vector<Step> history;
};

enum class FileSystem : std::uint8_t { kExt4, kXfs, kBtrfs, kOther };

// Where blobs and snapshots lie.
struct Disk {
  FileSystem kind = FileSystem::kOther;
  std::uint64_t block_bytes = 4096;  // statvfs f_frsize
};

// A part of the world that was not seen.
struct Unread {
  enum class What : std::uint8_t {
    kHolders,  // images, containers, leases, sandboxes: something unseen may hold what we think
               // free
    kObjects,  // content or snapshots: bytes and references are missing
  };
  What what = What::kHolders;
  std::string name_space;  // empty: all of them
  std::string why;         // "Leases.List k8s.io: deadline exceeded"
};

// One collection of containerd's metadata over all namespaces: plain values that an adapter fills
// while it reads the streams, interned and with the labels read on the way, so that nothing else of
// the answers has to be kept.  Order does not matter.  Not for several threads at once while
// filled.
class World {
 public:
  // `cri_namespace`: where the runtime keeps the images of its CRI ("k8s.io"; Docker: "moby").
  // `now`: decides which leases and images have expired.
  World(std::string_view cri_namespace, SystemTime now, GcRules rules = {}, Disk disk = {});

  void AddNamespace(std::string_view name);
  void AddImage(std::string_view name_space, std::string_view name, std::string_view target,
                Labels labels = {});
  void AddBlob(std::string_view name_space, std::string_view digest, std::uint64_t bytes,
               SystemTime created = {}, Labels labels = {});
  // `parent` is empty for the lowest.  Usage of a committed snapshot never changes, so it can be
  // remembered by snapshotter and key; of others it is not needed.
  void AddSnapshot(std::string_view name_space, std::string_view snapshotter, std::string_view key,
                   std::string_view parent, SnapshotKind kind, std::optional<Usage> usage,
                   Labels labels = {});
  void AddContainer(std::string_view name_space, std::string_view id, std::string_view image,
                    std::string_view snapshotter, std::string_view snapshot_key,
                    Labels labels = {});
  // An entry of Leases.ListResources.
  struct LeaseResource {
    std::string_view id;
    std::string_view type;  // "content", "snapshots/overlayfs", "images"; others hold nothing here
  };
  void AddLease(std::string_view name_space, std::string_view id, Labels labels,
                std::span<const LeaseResource> resources);
  // A download in flight; `expected` may be empty.
  void AddIngest(std::string_view name_space, std::string_view ref, std::string_view expected);
  void AddSandbox(std::string_view name_space, std::string_view id, Labels labels);
  void AddFacts(std::string_view image_id, std::span<const std::string_view> manifests,
                std::span<const std::string_view> diff_ids, std::span<const HistoryStep> history);
  void CouldNotRead(Unread unread);
  // When all is read: gives back the memory that growing took in advance, up to half of it.
  void Trim();

  Space cri_namespace() const { return 0; }
  const Disk& disk() const { return disk_; }
  const KeyTable& keys() const { return keys_; }
  const std::vector<std::string>& namespaces() const { return namespaces_; }
  const std::vector<std::string>& snapshotters() const { return snapshotters_; }
  const std::vector<ImageRecord>& images() const { return images_; }
  const std::vector<Blob>& blobs() const { return blobs_; }
  // Of blobs of the CRI's namespace, in no order.
  const std::vector<SourceLabel>& source_labels() const { return source_labels_; }
  const std::vector<Snapshot>& snapshots() const { return snapshots_; }
  const std::vector<Container>& containers() const { return containers_; }
  const std::vector<Holder>& holders() const { return holders_; }
  const std::vector<ImageFacts>& facts() const { return facts_; }
  const std::vector<Unread>& unread() const { return unread_; }
  // A part of the CRI's namespace that was not seen; null: there is none.
  const Unread* UnreadOfCri(Unread::What what) const;
  // Some references hold only under a condition (gc.cond.*); they are taken to hold.
  bool conditional() const { return conditional_; }
  // Some references say who holds their object (gc.bref.*).
  bool has_back_references() const { return back_; }

  std::span<const Reference> Of(const References& range) const {
    return std::span(references_).subspan(range.first, range.count);
  }

 private:
  Space SpaceOf(std::vector<std::string>& names, std::string_view name);
  References Keep(Labels labels);  // leaves the rest in read_

  const SystemTime now_;
  const GcRules rules_;
  const Disk disk_;
  KeyTable keys_;
  std::vector<std::string> namespaces_, snapshotters_;
  std::vector<ImageRecord> images_;
  std::vector<Blob> blobs_;
  std::vector<SourceLabel> source_labels_;
  std::vector<Snapshot> snapshots_;
  std::vector<Container> containers_;
  std::vector<Holder> holders_;
  std::vector<ImageFacts> facts_;
  std::vector<Unread> unread_;
  std::vector<Reference> references_;
  bool conditional_ = false, back_ = false;
  GcLabels read_;
};

}  // namespace imagesweep::layers
