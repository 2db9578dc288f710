#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace imagesweep {

// A normalised image reference, as distribution/reference normalises it:
//   nginx                 -> docker.io/library/nginx:latest
//   nginx:1.25@sha256:aa… -> docker.io/library/nginx@sha256:aa…   (the tag is dropped)
//   localhost:5000/app    -> localhost:5000/app:latest
// Text that is no reference at all is kept as it is, so that a hostile or future name still equals
// itself; it has no tag and no digest then.
// Source: github.com/distribution/reference, normalize.go and regexp.go.
class ImageName {
 public:
  ImageName() = default;
  // Never fails; see above.
  static ImageName Parse(std::string_view text);

  // The whole normalised reference.
  const std::string& text() const noexcept { return text_; }
  // "docker.io/library/nginx"
  std::string_view repository() const { return std::string_view(text_).substr(0, repository_); }
  // "1.25", or empty.
  std::string_view tag() const;
  // "sha256:…", or empty.
  std::string_view digest() const;
  // True when the text named no registry ("app:1", "team/app:1"): a runtime with several search
  // registries (CRI-O's registries.conf) may mean any of them.
  bool unqualified() const noexcept { return unqualified_; }
  // For an unqualified name: the path as it was written, "app" or "team/app".
  std::string_view short_path() const;

  friend bool operator==(const ImageName& a, const ImageName& b) { return a.text_ == b.text_; }
  friend auto operator<=>(const ImageName& a, const ImageName& b) { return a.text_ <=> b.text_; }

 private:
  std::string text_;
  std::size_t repository_ = 0;  // length of the repository part
  std::size_t short_path_ = 0;  // where the path as written begins
  bool unqualified_ = false;
};

// Exactly 64 lower-case hexadecimal digits: an image id without its algorithm.
bool IsFullHexId(std::string_view text);

}  // namespace imagesweep
