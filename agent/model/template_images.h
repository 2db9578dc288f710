#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/image.h"
#include "agent/model/image_pos.h"
#include "agent/model/string_multimap.h"

namespace imagesweep {

// Finds the images that the pods of a template may use, although the template names another image.
//
// A template names its images before admission.  A pod names them after it, so only references of
// pods and containers are exact (ImageIndex).  In between, the name may change:
//   - A webhook replaces the registry, or adds a registry or a project in front (Kyverno, Harbor,
//     k8s-image-swapper): docker.io/shop/app:1 -> mirror.example/docker.io/shop/app:1.
//   - A webhook pins the tag to a digest (verifyImages.mutateDigest of Kyverno, the policy
//     controller of Sigstore): app:1 -> app:1@sha256:….  Runtimes drop the tag of such a name, so
//     they list a digest in this repository, and no tag.
//   - An alias in CRI-O's registries.conf leads a name without a registry to any repository.
// All of these keep the tag or replace it by a digest, and all but the alias keep the path.
//
// Holds views into `images`, which must outlive it.  Immutable.
class TemplateImages {
 public:
  // `short_name_aliases`: RuntimeIdentity::has_short_name_aliases().
  // `lost_tags`: ImageAge::lost_tags of each image, which must outlive this object.
  TemplateImages(std::span<const Image> images, ByImage<std::span<const ImageName>> lost_tags,
                 bool short_name_aliases);

  // The images that may get the text of a template, as written there:
  //   - with its tag, and a repository that ends with the path of the text (whole segments; of
  //     docker.io/library/app, the path is app),
  //   - with a digest in such a repository, and without a tag in it, unless the image had the tag
  //     there and another image, which was pulled, has it now: a webhook that pins this tag now
  //     gets another digest.  A tag that moved on the node alone (ctr images tag, a build) tells
  //     nothing,
  //   - with short-name aliases, for a text without a registry: with its tag in any repository.
  // A text with a digest gets none, because admission does not replace a digest.  In ascending
  // order, without duplicates.  Replaces the contents of `found`, which the caller reuses.
  void FindInto(std::string_view text, std::vector<ImagePos>& found) const;

 private:
  bool MayBePinned(ImagePos at, std::string_view path, std::string_view tag) const;

  std::span<const Image> images_;
  ByImage<std::span<const ImageName>> lost_tags_;
  StringMultimap by_tagged_path_;  // "app:1", "shop/app:1", …
  StringMultimap by_digest_path_;  // "app", "shop/app", …, of digests without a tag beside them
  std::optional<StringMultimap> by_tag_;  // "1"; empty: there are no short-name aliases
};

// "app:1, which admission may change to this name", for an image that the text of a template finds.
std::string HowNameMayChange(std::string_view text, bool short_name_aliases);

}  // namespace imagesweep
