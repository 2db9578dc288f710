#pragma once

#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/model/image.h"

namespace imagesweep {

// `*` and `?` stay inside one path segment, `**` crosses `/`.  No other special characters.
bool GlobMatches(std::string_view pattern, std::string_view text);

// A glob over whole normalised references (docker.io/library/nginx:1.25).
//   nginx            every tag of docker.io/library/nginx, as a CLI would mean it
//   shop/**          docker.io/shop/…;  */shop/* is a path "shop/x" in any registry
//   redis:7.*        those tags; a pattern without a tag, or with the tag `*`, matches every tag
//   and
//                    digest
//   app@sha256:…     that digest
//   sha256:…         that image id (or its first digits, 12 or more)
class ImageGlob {
 public:
  // kInvalid for empty text, white space, control characters and unfinished parts, in words for the
  // person who wrote it.
  static Result<ImageGlob> Parse(std::string_view text);

  bool Matches(const ImageName& name) const;
  // Any of its names, or its id.
  bool Matches(const Image& image) const;
  // The glob over the whole repository, registry included; empty for an image id.
  const std::string& repository() const noexcept { return repository_; }
  bool is_id() const noexcept { return !id_hex_.empty(); }
  // As it was written.
  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
  std::string repository_;
  std::string tag_;     // empty: every tag and digest
  std::string digest_;  // empty: not by digest
  std::string id_hex_;  // set: an image id, and nothing else
};

}  // namespace imagesweep
