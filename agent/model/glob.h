#pragma once

#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/model/image.h"

namespace imagesweep {

// `*` and `?` match within one path segment, `**` crosses `/`.  There are no other special
// characters.
bool GlobMatches(std::string_view pattern, std::string_view text);

// A glob over whole normalised references (docker.io/library/nginx:1.25).
//   nginx            every tag of docker.io/library/nginx, as in a CLI
//   shop/**          docker.io/shop/…;  */shop/* is a path "shop/x" in any registry
//   redis:7.*        these tags; a pattern without a tag, or with the tag `*`, matches every tag
//                    and digest
//   app@sha256:…     this digest
//   sha256:…         this image ID (or its first digits, 12 or more)
class ImageGlob {
 public:
  // kInvalid, with a suggested pattern, for a pattern that no image name can match or that is
  // ambiguous (WhyNotImagePattern).
  static Result<ImageGlob> Parse(std::string_view text);

  // Matches the literal text, for patterns that remove images.
  bool Matches(const ImageName& name) const;
  // Matches any of its names, or its ID.
  bool Matches(const Image& image) const;

  // Matches every name that a runtime may understand by the text, for patterns that protect.  In
  // addition to Matches(): a host in any case, registry-1.docker.io and registry.hub.docker.com for
  // docker.io, the same path in any registry for a name without a registry and without wildcards
  // (CRI-O's registries.conf), and the image with this digest or ID in any repository.
  bool Keeps(const ImageName& name) const;
  bool Keeps(const Image& image) const;
  // The part of Keeps() that does not depend on a name.
  bool KeepsById(const Image& image) const;

  // The glob over the whole repository, including the registry.  Empty for an image ID.
  const std::string& repository() const noexcept { return repository_; }
  bool is_id() const noexcept { return !id_hex_.empty(); }
  // True if it means docker.io because it names no registry.
  bool names_no_registry() const noexcept { return names_no_registry_; }
  // The original text.
  const std::string& text() const noexcept { return text_; }

 private:
  bool MatchesBehindRepository(const ImageName& name) const;
  bool MatchesId(const Image& image) const;

  std::string text_;
  std::string repository_;
  std::string folded_;      // the repository, the same for every spelling of its registry
  std::string short_path_;  // set if written without a registry and without wildcards
  std::string tag_;         // empty: every tag and digest
  std::string digest_;      // empty: not by digest
  std::string digits_;      // set for a whole digest
  std::string id_hex_;      // set only for an image ID
  bool names_no_registry_ = false;
};

}  // namespace imagesweep
