#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.h"
#include "agent/imagestore/graph/key.h"
#include "agent/imagestore/graph/labels.h"

namespace imagesweep::layers {

// The position of a namespace in MetadataSnapshot::namespaces(), or of a snapshotter in
// MetadataSnapshot::snapshotters().
using NamespaceId = std::uint16_t;

enum class SnapshotKind : std::uint8_t { kView, kActive, kCommitted };

// Space and inodes of one snapshot, as Snapshots.Usage returns them.
struct Usage {
  std::uint64_t bytes = 0;
  std::uint64_t inodes = 0;
  bool whole = false;  // in blocks, and with all that its snapshotter adds: nothing is to be added
};

// A label's or a lease's pointer to an object of its own namespace.
struct Reference {
  Key key = kNoKey;
  NamespaceId snapshotter = 0;  // for snapshots
  ObjectType type = ObjectType::kContent;
  bool back = false;  // the other object holds this one
};

// A range of MetadataSnapshot::references().
struct References {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

// The images that the image records stand for.
enum class RecordsOf : std::uint8_t {
  kCri,         // of containerd's CRI: an image is a config, and is removed by its records
  kDocker,      // of Docker: an image is the target of its records, and only Docker removes it
  kOtherStore,  // made up from the files of another store
};

struct ImageRecord {
  Key name = kNoKey, target = kNoKey;
  // Of a record of Docker's classic builder: the target of the image that it is built on.
  Key parent = kNoKey;
  References references;
  NamespaceId space = 0;
  bool expired = false;
};

struct Blob {
  std::uint64_t bytes = 0;
  SystemTime created;
  Key digest = kNoKey;
  References references;
  NamespaceId space = 0;
  bool root = false;
  std::uint8_t inodes = 1;  // files and directories that it is stored in
};

// The label of a pull: the blob was in these repositories of a registry.  Only a pull writes it
// (containerd, core/remotes/docker/handler.go, AppendDistributionSourceLabel).
struct SourceLabel {
  Key blob = kNoKey;          // digest
  Key host = kNoKey;          // of the registry, without its port
  Key repositories = kNoKey;  // paths, separated by commas: "library/nginx,mirror/nginx"
};

struct Snapshot {
  static constexpr std::uint64_t kUnread = ~std::uint64_t{0};
  std::uint64_t bytes = kUnread;  // kUnread: its usage was not read
  Key key = kNoKey, parent = kNoKey;
  References references;
  std::uint32_t inodes = 0;
  NamespaceId space = 0, snapshotter = 0;
  SnapshotKind kind = SnapshotKind::kCommitted;
  bool root = false;
  bool whole = false;  // see Usage
};

struct Container {
  Key id = kNoKey, image = kNoKey, snapshot = kNoKey;  // snapshot: kNoKey if it has none
  References references;
  NamespaceId space = 0, snapshotter = 0;
};

// A snapshot that is mounted itself.  In containerd, a mount has a snapshot of its own.
struct MountedSnapshot {
  Key key = kNoKey;
  NamespaceId space = 0, snapshotter = 0;
};

// A lease that has not expired, an ingest, or a sandbox with labels.  `references`: the objects
// that it holds.
struct Holder {
  enum class Kind : std::uint8_t { kLease, kIngest, kSandbox };
  Key id = kNoKey;
  References references;
  NamespaceId space = 0;
  Kind kind = Kind::kLease;
  bool flat = false;         // holds only the named objects
  bool build_cache = false;  // BuildKit's: one flat lease for each cache record
};

// One step of a build, from the image's config.
struct HistoryStep {
  std::string_view created_by;
  bool empty_layer = false;
};

// Data from an image's config, for the analysis and for records without labels.  All optional.
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

// The file system of blobs and snapshots.
struct Disk {
  FileSystem kind = FileSystem::kOther;
  std::uint64_t block_bytes = 4096;  // statvfs f_frsize
};

// A part of the metadata that could not be read.
struct Unread {
  enum class What : std::uint8_t {
    kHolders,  // images, containers, leases, sandboxes: an unseen one may hold objects
    kObjects,  // content or snapshots: bytes and references are missing
    kMounts,   // a mount of images may be unseen: by a snapshot, or by a container that names none
  };
  What what = What::kHolders;
  std::string name_space;  // empty: all of them
  std::string why;         // "Leases.List k8s.io: deadline exceeded"
};

// A snapshot of containerd's metadata in all namespaces: plain values that an adapter adds while it
// reads the streams.  Texts are interned and labels are parsed at once, so that the responses need
// not be kept.  The order of the calls does not matter.  One thread at a time while it is filled.
class MetadataSnapshot {
 public:
  // `cri_namespace`: the namespace of the CRI's images ("k8s.io"; Docker: "moby").  `now`: the time
  // for the expiry of leases and images.
  MetadataSnapshot(std::string_view cri_namespace, SystemTime now, GcRules rules = {},
                   Disk disk = {});

  void AddNamespace(std::string_view name);
  void AddImage(std::string_view name_space, std::string_view name, std::string_view target,
                Labels labels = {});
  void AddBlob(std::string_view name_space, std::string_view digest, std::uint64_t bytes,
               SystemTime created = {}, Labels labels = {}, std::uint8_t inodes = 1);
  // `parent` is empty for the lowest.  The usage of a committed snapshot never changes, so a caller
  // can cache it by snapshotter and key.  Other snapshots do not need it.
  void AddSnapshot(std::string_view name_space, std::string_view snapshotter, std::string_view key,
                   std::string_view parent, SnapshotKind kind, std::optional<Usage> usage,
                   Labels labels = {});
  void AddContainer(std::string_view name_space, std::string_view id, std::string_view image,
                    std::string_view snapshotter, std::string_view snapshot_key,
                    Labels labels = {});
  void AddMount(std::string_view name_space, std::string_view snapshotter, std::string_view key);
  // An entry of Leases.ListResources.
  struct LeaseResource {
    std::string_view id;
    std::string_view type;  // "content", "snapshots/overlayfs", "images"; others are ignored
  };
  void AddLease(std::string_view name_space, std::string_view id, Labels labels,
                std::span<const LeaseResource> resources);
  // A download in progress.  `expected` may be empty.
  void AddIngest(std::string_view name_space, std::string_view ref, std::string_view expected);
  void AddSandbox(std::string_view name_space, std::string_view id, Labels labels);
  void AddFacts(std::string_view image_id, std::span<const std::string_view> manifests,
                std::span<const std::string_view> diff_ids, std::span<const HistoryStep> history);
  void CouldNotRead(Unread unread);
  void SetRecordsOf(RecordsOf images) { records_of_ = images; }
  // Releases memory that was reserved for growth, up to half of it.  Call it after all reads.
  void Trim();

  NamespaceId cri_namespace() const { return 0; }
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
  const std::vector<MountedSnapshot>& mounts() const { return mounts_; }
  const std::vector<Holder>& holders() const { return holders_; }
  const std::vector<ImageFacts>& facts() const { return facts_; }
  const std::vector<Unread>& unread() const { return unread_; }
  // A part of the CRI's namespace that could not be read.  Null: there is none.
  const Unread* UnreadOfCri(Unread::What what) const;
  // True if some references hold only under a condition (gc.cond.*).  They are assumed to hold.
  bool conditional() const { return conditional_; }
  RecordsOf records_of() const { return records_of_; }
  // True if there are back references (gc.bref.*).
  bool has_back_references() const { return back_; }

  std::span<const Reference> Of(const References& range) const {
    return std::span(references_).subspan(range.first, range.count);
  }

 private:
  NamespaceId IdOf(std::vector<std::string>& names, std::string_view name);
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
  std::vector<MountedSnapshot> mounts_;
  std::vector<Holder> holders_;
  std::vector<ImageFacts> facts_;
  std::vector<Unread> unread_;
  std::vector<Reference> references_;
  bool conditional_ = false, back_ = false;
  RecordsOf records_of_ = RecordsOf::kCri;
  GcLabels read_;
};

}  // namespace imagesweep::layers
