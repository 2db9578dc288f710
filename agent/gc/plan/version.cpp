#include "agent/gc/plan/version.h"

#include <algorithm>
#include <utility>

#include "agent/gc/plan/tag_dates.h"
#include "agent/gc/plan/tag_reader.h"
#include "agent/gc/plan/tag_text.h"
#include "agent/model/image_name.h"

namespace imagesweep {

// "sha256-<64 hexadecimal digits>" with any suffix: cosign's .sig, .att and .sbom, and the fallback
// for referrers of the OCI distribution specification, which notation uses.
std::string_view SubjectOf(std::string_view tag) {
  constexpr std::pair<std::string_view, std::size_t> kDigests[] = {
      {"sha256-", 64}, {"sha384-", 96}, {"sha512-", 128}};
  for (const auto& [algorithm, digits] : kDigests) {
    const auto whole = tag.substr(0, algorithm.size() + digits);
    if (whole.size() == algorithm.size() + digits && whole.starts_with(algorithm) &&
        IsHex(whole.substr(algorithm.size())) &&
        (tag.size() == whole.size() || IsSeparator(tag[whole.size()])))
      return whole;
  }
  return {};
}

TagVersion ReadTag(std::string_view tag) {
  if (!SubjectOf(tag).empty()) {
    TagVersion version;
    version.kind = TagKind::kSignature;
    return version;
  }
  TagVersion version = ReadParts(tag);
  if (version.kind != TagKind::kVersion || !HasAmbiguousDate(tag)) return version;
  version.kind = TagKind::kWord;
  version.numbers = {};
  return version;
}

bool MayReplace(const TagVersion& newer, const TagVersion& older) {
  const auto rest =
      newer.more_words.substr(std::min(newer.more_words.size(), older.more_words.size()));
  return newer.more_words.starts_with(older.more_words) &&
         (rest.empty() || IsSeparator(rest.front()));
}

std::string SchemeText(const TagVersion& version) {
  std::string text;
  for (const char c : version.scheme) {
    switch (c) {
      case SchemePart::kNumber:
        text += "<number>";
        break;
      case SchemePart::kCommit:
        text += "<commit>";
        break;
      case SchemePart::kYear:
        text += "<year>";
        break;
      case SchemePart::kIsoDate:
      case SchemePart::kCompactDate:
        text += "<date>";
        break;
      case SchemePart::kIsoTime:
      case SchemePart::kCompactMinute:
      case SchemePart::kCompactSecond:
      case SchemePart::kCompactTime:
        text += "<time>";
        break;
      case SchemePart::kAnyWords:
        text += "…";
        break;
      default:
        text += c;
    }
  }
  return text;
}

}  // namespace imagesweep
