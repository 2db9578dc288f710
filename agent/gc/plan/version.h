#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace imagesweep {

enum class TagKind {
  kVersion,    // has an order within its scheme
  kCommit,     // names a commit and has no order: "3f2a9bc", "main-3f2a9bc"
  kWord,       // no order: "latest", "frontend", "pr-12"
  kSignature,  // a signature, attestation or SBOM: "sha256-<hex>.sig"; belongs to another image
};

// The version in a tag.  Two tags have an order only within one scheme: the same text before the
// number, separators, number of fields, and kind of suffix.  So "1.9" and "1.9.1", "v2" and "2",
// "20240115" and "7", "1.25-alpine" and "1.26-slim" are not compared.  Commits are not compared.
// Holds views into the tag.
struct TagVersion {
  static constexpr std::size_t kMaxNumbers = 16;  // a tag with more numbers has no order

  TagKind kind = TagKind::kWord;
  // Equal texts mean equal schemes.  One character below ' ' stands for each part that varies
  // (SchemeText).  A pre-release has the scheme of its release.
  std::string scheme;
  std::array<std::uint64_t, kMaxNumbers> numbers{};
  // One number after a word that does not count versions: it may be part of a name ("cuda-11").
  bool may_be_name = false;
  // Of a hand-made version ("v3-retry-fixed"): the words after the first, "-fixed".
  std::string_view more_words;
  // Semantic Versioning 2.0.0, section 11: a pre-release comes before its release.
  bool prerelease = false;
  // For a pre-release: alpha, beta and rc are one line, in this order, and the line is empty.  Any
  // other word ("dev", "nightly") is its own line, which is only compared with releases.
  std::string_view line;

  // Only for two with the same scheme and, if both are pre-releases, the same line.
  friend std::strong_ordering operator<=>(const TagVersion& a, const TagVersion& b) {
    return a.numbers <=> b.numbers;
  }
  friend bool operator==(const TagVersion& a, const TagVersion& b) {
    return a.numbers == b.numbers;
  }
};

// For the tag of a signature, attestation or SBOM: the digest of the image that it belongs to, as
// "sha256-<hex>".  Empty: the tag is not one of these.
std::string_view SubjectOf(std::string_view tag);

TagVersion ReadTag(std::string_view tag);

// For two of one scheme: whether the greater one may replace the other.  False if both have words
// that tell what they are, and those of `newer` do not begin with those of `older`:
// "v4-linux-amd64" does not replace "v3-linux-arm64", but "v3-retry-fixed" replaces "v2-retry".
bool MayReplace(const TagVersion& newer, const TagVersion& older);

// A readable scheme: "v<number>", "<number>.<number>-alpine", "nightly-<date>", "main-<commit>".
std::string SchemeText(const TagVersion& version);

}  // namespace imagesweep
