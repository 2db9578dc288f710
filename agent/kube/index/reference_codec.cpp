#include "agent/kube/index/reference_codec.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>

namespace imagesweep {
namespace {

// The start of an encoded set.  Another format has another number.
constexpr std::string_view kMark = "imagesweep-workloads/1\n";

constexpr std::array kTexts{&WorkloadReference::text, &WorkloadReference::kind,
                            &WorkloadReference::workload_namespace, &WorkloadReference::name,
                            &WorkloadReference::container};

std::size_t SizeOf(const WorkloadReference& reference) {
  std::size_t size = sizeof reference;
  for (const auto text : kTexts) size += (reference.*text).size();
  return size;
}

Error TooMany() {
  return {ErrorKind::kInvalid,
          "the references are larger than " + std::to_string(kMaxReferenceBytes >> 20U) + " MiB"};
}

// LEB128, as in protocol buffers.
void PutNumber(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7U) out += static_cast<char>((number & 0x7FU) | 0x80U);
  out += static_cast<char>(number);
}

// Reads a number from the front of `rest`.  Empty: it is not in the shortest form.
std::optional<std::uint64_t> TakeNumber(std::string_view& rest) {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 64 && !rest.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    const std::uint64_t bits = byte & 0x7FU;
    if (shift == 63 && bits > 1) return std::nullopt;
    number |= bits << shift;
    if ((byte & 0x80U) != 0) continue;
    if (byte == 0 && shift > 0) return std::nullopt;
    return number;
  }
  return std::nullopt;
}

std::size_t CommonPrefix(std::string_view a, std::string_view b) {
  const auto ends = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<std::size_t>(ends.first - a.begin());
}

// Empty: the bytes are invalid.
std::optional<WorkloadReference> TakeReference(std::string_view& rest,
                                               const WorkloadReference& before, std::size_t most) {
  WorkloadReference reference;
  std::size_t size = sizeof reference;
  for (const auto text : kTexts) {
    const std::string& old = before.*text;
    const auto same = TakeNumber(rest);
    const auto more = TakeNumber(rest);
    if (!same || !more || *same > old.size() || *more > rest.size()) return std::nullopt;
    size += *same + *more;
    if (size > most) return std::nullopt;
    std::string& now = reference.*text;
    now.reserve(*same + *more);
    now.assign(old, 0, *same).append(rest.substr(0, *more));
    if (CommonPrefix(now, old) != *same) return std::nullopt;
    rest.remove_prefix(*more);
  }
  const auto revision = TakeNumber(rest);
  const auto back = TakeNumber(rest);
  const auto zero = TakeNumber(rest);
  if (!revision || !back || !zero || *zero > 1 ||
      *back > static_cast<std::uint64_t>(std::numeric_limits<int>::max()))
    return std::nullopt;
  reference.revision = static_cast<std::int64_t>(*revision);
  reference.revisions_back = static_cast<int>(*back);
  reference.scaled_to_zero = *zero == 1;
  return reference;
}

}  // namespace

Result<std::string> WriteReferences(const std::vector<WorkloadReference>& references) {
  std::string out(kMark);
  PutNumber(out, references.size());
  static const WorkloadReference kNothing;
  const WorkloadReference* before = nullptr;
  std::size_t size = 0;
  for (const WorkloadReference& reference : references) {
    if (before != nullptr && !(*before < reference))
      return Error{ErrorKind::kInvalid, "the references are not sorted, or contain duplicates"};
    if (reference.revisions_back < 0)
      return Error{ErrorKind::kInvalid, "a reference has a negative number of revisions back"};
    size += SizeOf(reference);
    if (size > kMaxReferenceBytes) return TooMany();
    const WorkloadReference& old = before == nullptr ? kNothing : *before;
    for (const auto text : kTexts) {
      const std::string& now = reference.*text;
      const std::size_t same = CommonPrefix(now, old.*text);
      PutNumber(out, same);
      PutNumber(out, now.size() - same);
      out.append(now, same);
    }
    PutNumber(out, static_cast<std::uint64_t>(reference.revision));
    PutNumber(out, static_cast<std::uint64_t>(reference.revisions_back));
    PutNumber(out, reference.scaled_to_zero ? 1 : 0);
    before = &reference;
  }
  if (out.size() > kMaxReferenceBytes) return TooMany();
  return out;
}

Result<std::vector<WorkloadReference>> ReadReferences(std::string_view bytes) {
  const auto bad = [](const std::string& what) { return Error{ErrorKind::kIncomplete, what}; };
  if (!bytes.starts_with(kMark)) return bad("unknown format");
  bytes.remove_prefix(kMark.size());
  const auto count = TakeNumber(bytes);
  if (!count || *count > kMaxReferenceBytes / sizeof(WorkloadReference))
    return bad("invalid number of references");
  std::vector<WorkloadReference> references;
  // A reference takes at least 13 bytes.
  references.reserve(std::min<std::size_t>(*count, bytes.size() / 13 + 1));
  std::size_t size = 0;
  const WorkloadReference nothing;
  while (references.size() < *count) {
    const WorkloadReference& before = references.empty() ? nothing : references.back();
    auto next = TakeReference(bytes, before, kMaxReferenceBytes - size);
    if (!next) return bad("invalid data at reference " + std::to_string(references.size() + 1));
    if (!references.empty() && !(before < *next))
      return bad("wrong order at reference " + std::to_string(references.size() + 1));
    size += SizeOf(*next);
    references.push_back(*std::move(next));
  }
  if (!bytes.empty()) return bad("data after the last reference");
  return references;
}

}  // namespace imagesweep
