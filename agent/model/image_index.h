#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "agent/model/image.h"
#include "agent/model/image_pos.h"
#include "agent/model/reference.h"
#include "agent/model/string_multimap.h"

namespace imagesweep {

// Resolves a reference to the node's images that it may mean.  This is the only place that matches
// names, digests and IDs of the different runtimes.
//
// A reference resolves to every image that matches it by
//   - ID, with or without "sha256:", whole or the first 12 digits or more (shorter text is a name),
//   - digest in any repository: a pod's imageID may be a manifest-list digest,
//   - normalised tag,
//   - for a name without a registry: the same path in any registry (CRI-O's registries.conf), until
//     the container's status shows which registry it was.  In a pod, if short names have aliases:
//     the same tag in any repository.
// More matches keep more images, so doubt counts as a match: a shortened ID resolves to all images
// whose IDs begin with it.
//
// Why shorter text is a name: the kubelet adds ":latest" before it calls the runtime, so a pod with
// the image "3" never gets an ID that begins with 3 (pkg/util/parsers).  containerd's CRI resolves
// any unique prefix after the name (CRIImageService.LocalResolve), but a container that a user
// created this way has the whole ID in image_ref, which is a separate reference.  If the runtime
// only reports the text of a container, it may mean every ID that begins with it.
// Source: field tables of containerd, CRI-O and cri-dockerd (Container.image, image_ref, image_id,
// ContainerStatus.image_ref), Kubernetes' status.containerStatuses[].imageID.
//
// Holds views into `images`, which must outlive it.  Reads are safe from any thread.
class ImageIndex {
 public:
  // `short_name_aliases`: RuntimeIdentity::has_short_name_aliases().
  explicit ImageIndex(std::span<const Image> images, bool short_name_aliases = false);

  // In ascending order, without duplicates.  Empty if nothing matches.
  std::vector<ImagePos> Resolve(const ImageReference& reference) const;
  std::vector<ImagePos> Resolve(std::string_view text) const;
  // The same, into a vector that the caller reuses.  Replaces its contents.
  void ResolveInto(const ImageReference& reference, std::vector<ImagePos>& found) const;

 private:
  using Found = std::vector<ImagePos>;
  bool AddByDigest(std::string_view hex, Found& out) const;
  void AddExact(std::string_view text, const ImageName& name, Found& out) const;
  void AddBySamePath(const ImageName& name, Found& out) const;
  void AddUnqualified(const ImageReference& reference, const ImageName& name, Found& out) const;
  void AddByAlias(const ImageName& name, Found& out) const;
  bool AddQuickly(std::string_view text, Found& out) const;

  std::span<const Image> images_;
  const bool short_name_aliases_;
  StringMultimap by_id_;      // 64 hexadecimal digits of the ID
  StringMultimap by_tag_;     // normalised repo:tag
  StringMultimap by_digest_;  // hexadecimal digits of the repo digests
  // By the last path segment of the tags.  Only names without a registry need it, so it is built on
  // first use.
  mutable std::once_flag last_name_made_;
  mutable std::unique_ptr<StringMultimap> by_last_name_;
};

// Returns the text without a scheme such as "docker://" or "docker-pullable://".
std::string_view StripTransport(std::string_view text);

}  // namespace imagesweep
