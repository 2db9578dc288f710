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
//                    and digest
//   app@sha256:…     that digest
//   sha256:…         that image id (or its first digits, 12 or more)
class ImageGlob {
 public:
  // kInvalid, with the pattern that was probably meant, for what no image name can match or what
  // may mean two things (WhyNotImagePattern).
  static Result<ImageGlob> Parse(std::string_view text);

  // What the text says and no more: for patterns by which images may go.
  bool Matches(const ImageName& name) const;
  // Any of its names, or its id.
  bool Matches(const Image& image) const;

  // Whatever a runtime may mean by the text: for patterns that protect.  Besides what Matches says:
  // a host in any case, registry-1.docker.io and registry.hub.docker.com for docker.io, for a name
  // without a registry and without wildcards the same path in any registry (CRI-O's
  // registries.conf), and for a digest or an id that very image, whatever its repository.
  bool Keeps(const ImageName& name) const;
  bool Keeps(const Image& image) const;
  // The part of it that is not about a name.
  bool KeepsById(const Image& image) const;

  // The glob over the whole repository, registry included; empty for an image id.
  const std::string& repository() const noexcept { return repository_; }
  bool is_id() const noexcept { return !id_hex_.empty(); }
  // It means docker.io because it names none.
  bool names_no_registry() const noexcept { return names_no_registry_; }
  // As it was written.
  const std::string& text() const noexcept { return text_; }

 private:
  bool MatchesBehindRepository(const ImageName& name) const;
  bool MatchesId(const Image& image) const;

  std::string text_;
  std::string repository_;
  std::string folded_;      // the repository, the same for every spelling of its registry
  std::string short_path_;  // set: as it was written, without a registry and without wildcards
  std::string tag_;         // empty: every tag and digest
  std::string digest_;      // empty: not by digest
  std::string digits_;      // set: of a whole digest
  std::string id_hex_;      // set: an image id, and nothing else
  bool names_no_registry_ = false;
};

}  // namespace imagesweep
