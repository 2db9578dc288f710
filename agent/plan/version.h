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
  kCommit,     // names a commit and nothing with an order: "3f2a9bc", "main-3f2a9bc"
  kWord,       // no order at all: "latest", "frontend", "pr-12"
  kSignature,  // a signature, attestation or SBOM: "sha256-<hex>.sig"; belongs to another image
};

// What a tag tells.  Two tags have an order only within one scheme: the same text before the
// number, the same separators, as many fields, the same kind of suffix.  So "1.9" and "1.9.1",
// "v2" and "2", "20240115" and "7", "1.25-alpine" and "1.26-slim" are not compared.  Commits are no
// part of an order.  Holds views into the tag.
struct TagVersion {
  static constexpr std::size_t kMaxNumbers = 16;  // a tag with more tells no order

  TagKind kind = TagKind::kWord;
  // Equal texts, equal schemes; what varies is one character below ' ' each (SchemeText).  A
  // pre-release has the scheme of its release.
  std::string scheme;
  std::array<std::uint64_t, kMaxNumbers> numbers{};
  // Semantic Versioning 2.0.0, section 11: a pre-release comes before its release.
  bool prerelease = false;
  // Of a pre-release: alpha, beta and rc are one line, in this order; empty.  Any other word is one
  // of its own ("dev", "nightly"): only releases are compared with it.
  std::string_view line;

  // Of two with the same scheme and, if both are pre-releases, the same line.
  friend std::strong_ordering operator<=>(const TagVersion& a, const TagVersion& b) {
    return a.numbers <=> b.numbers;
  }
  friend bool operator==(const TagVersion& a, const TagVersion& b) {
    return a.numbers == b.numbers;
  }
};

// Of a signature, attestation or SBOM the digest of the image that it is about, as "sha256-<hex>";
// empty: it is none.
std::string_view SubjectOf(std::string_view tag);

TagVersion ReadTag(std::string_view tag);

// For people: "v<number>", "<number>.<number>-alpine", "nightly-<date>", "main-<commit>".
std::string SchemeText(const TagVersion& version);

}  // namespace imagesweep
