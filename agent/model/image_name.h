#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace imagesweep {

// A normalised image reference, as distribution/reference normalises it:
//   nginx                 -> docker.io/library/nginx:latest
//   nginx:1.25@sha256:aa… -> docker.io/library/nginx@sha256:aa…   (the tag is dropped)
//   localhost:5000/app    -> localhost:5000/app:latest
// Text that is not a valid reference is kept unchanged, without a tag and a digest, so that a
// hostile or future name still equals itself. Source: github.com/distribution/reference,
// normalize.go and regexp.go.
class ImageName {
 public:
  ImageName() = default;
  // Never fails; see above.
  static ImageName Parse(std::string_view text);
  // As Parse, but keeps the repository of a name with a digest as written: a registry that was cut
  // off its path ("registry.example@sha256:aa…") is no image of Docker Hub.
  static ImageName WithRepositoryAsWritten(std::string_view text);

  // The whole normalised reference.
  const std::string& text() const noexcept { return text_; }
  // "docker.io/library/nginx"
  std::string_view repository() const { return std::string_view(text_).substr(0, repository_); }
  // "1.25", or empty.
  std::string_view tag() const;
  // "sha256:…", or empty.
  std::string_view digest() const;
  // True if the text has no registry ("app:1", "team/app:1"): a runtime with several search
  // registries (CRI-O's registries.conf) may use any of them.
  bool unqualified() const noexcept { return unqualified_; }
  // For an unqualified name: the path as written, "app" or "team/app".
  std::string_view short_path() const;

  friend bool operator==(const ImageName& a, const ImageName& b) { return a.text_ == b.text_; }
  friend auto operator<=>(const ImageName& a, const ImageName& b) { return a.text_ <=> b.text_; }

 private:
  std::string text_;
  std::size_t repository_ = 0;  // length of the repository part
  std::size_t short_path_ = 0;  // offset of the path as written
  bool unqualified_ = false;
};

// Exactly 64 lower-case hexadecimal digits: an image ID without its algorithm.
bool IsFullHexId(std::string_view text);

// Lower-case hexadecimal digits, at least one.
bool IsHex(std::string_view text);

// A repository as written, split after its registry.
struct RepositoryParts {
  std::string_view registry;  // empty: not written
  std::string_view path;
};

// The first part is a registry if it has a dot, a colon or a capital letter, or is "localhost".
// Source: github.com/distribution/reference, splitDockerDomain.
RepositoryParts SplitRepository(std::string_view written);

// Joins the parts to a normalised repository: docker.io replaces no registry and index.docker.io,
// and a path of one part gets the prefix library/ there.  Other hosts are not aliases of Docker
// Hub: containerd stores and resolves registry-1.docker.io/… and hosts in capitals as written.
std::string JoinRepository(const RepositoryParts& parts);

}  // namespace imagesweep
