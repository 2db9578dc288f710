#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "agent/model/image.h"
#include "agent/model/reference.h"
#include "agent/model/text_table.h"

namespace imagesweep {

// Answers one question: which of the node's images may this reference mean?  This is the only place
// where names, digests and ids of the different runtimes are matched.
//
// A reference means every image that matches it by
//   - id, with or without "sha256:", whole or the first 12 digits or more (shorter text is a name),
//   - digest, whatever the repository: a pod's imageID may be a manifest-list digest,
//   - normalised tag,
//   - for a name without a registry: the same path in any registry (CRI-O's registries.conf), until
//     the container's status shows which one it was.
// More matches keep more images, so doubt is resolved towards matching: a shortened id that several
// images begin with means all of them.
//
// Why shorter text is a name: the kubelet adds ":latest" to it before it asks the runtime, so a pod
// that says "3" never gets an id that begins with 3 (pkg/util/parsers).  containerd's CRI resolves
// any unique prefix after the name (CRIImageService.LocalResolve), but a container that a person
// made so has the whole id in image_ref, which is a reference of its own.  A container of which the
// runtime gives nothing but the text may mean every id that begins with it.
// Source: field tables of containerd, CRI-O and cri-dockerd (Container.image, image_ref, image_id,
// ContainerStatus.image_ref), Kubernetes' status.containerStatuses[].imageID.
//
// Holds views into `images`, which must outlive it.  Reading is safe from any thread.
class ImageIndex {
 public:
  explicit ImageIndex(std::span<const Image> images);

  // Positions in `images`, ascending, without repeats.  Empty when nothing matches.
  std::vector<std::uint32_t> Resolve(const ImageReference& reference) const;
  std::vector<std::uint32_t> Resolve(std::string_view text) const;
  // The same into a vector that the caller uses again and again; what it held is gone.
  void ResolveInto(const ImageReference& reference, std::vector<std::uint32_t>& found) const;

 private:
  using Positions = std::vector<std::uint32_t>;
  bool AddByDigest(std::string_view hex, Positions& out) const;
  void AddExact(std::string_view text, const ImageName& name, Positions& out) const;
  void AddBySamePath(const ImageName& name, Positions& out) const;
  bool AddQuickly(std::string_view text, Positions& out) const;

  std::span<const Image> images_;
  TextTable by_id_;      // 64 hexadecimal digits of the id
  TextTable by_tag_;     // normalised repo:tag
  TextTable by_digest_;  // hexadecimal digits of the repo digests
  // By the last path segment of the tags; only for names without a registry, so made when first
  // asked.
  mutable std::once_flag last_name_made_;
  mutable std::unique_ptr<TextTable> by_last_name_;
};

// The text without "docker://", "docker-pullable://" and the like.
std::string_view StripTransport(std::string_view text);

}  // namespace imagesweep
