#include "agent/state/pack.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace imagesweep {
namespace {

// Packed: the text's length and its hash, then in turn: a count of plain bytes, these bytes, and,
// unless the text is complete, a match: its length beyond kMinMatch and its distance back.  All
// numbers are base 128, low digits first, the high bit set on all bytes but the last.

constexpr std::size_t kMinMatch = 6;
constexpr std::size_t kHashBits = 15;
constexpr int kTries = 8;  // earlier places to compare with: more is slower and a little smaller
constexpr std::uint32_t kNowhere = 0xFFFFFFFF;

void PutNumber(std::string& out, std::size_t number) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>((number & 0x7F) | 0x80);
  out += static_cast<char>(number);
}

std::optional<std::size_t> TakeNumber(std::string_view& in) {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 35 && !in.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    number |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return number;
  }
  return std::nullopt;
}

// FNV-1a: bytes that changed on the disk shall not pass for the text.
std::uint32_t Checksum(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

std::size_t HashAt(std::string_view text, std::size_t at) {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, text.data() + at, kMinMatch);
  return (bytes * 0x9E3779B97F4A7C15ULL) >> (64 - kHashBits);
}

std::size_t CommonLength(std::string_view text, std::size_t earlier, std::size_t at) {
  const auto begin = text.begin();
  const auto differs = std::mismatch(begin + static_cast<std::ptrdiff_t>(at), text.end(),
                                     begin + static_cast<std::ptrdiff_t>(earlier));
  return static_cast<std::size_t>(differs.first - begin) - at;
}

struct Match {
  std::size_t length = 0;
  std::size_t distance = 0;
};

// Earlier places with the same hash, the latest first.
class Places {
 public:
  explicit Places(std::string_view text)
      : text_(text), latest_(std::size_t{1} << kHashBits, kNowhere), before_(text.size()) {}

  void Add(std::size_t at) {
    if (at + kMinMatch > text_.size()) return;
    std::uint32_t& latest = latest_[HashAt(text_, at)];
    before_[at] = latest;
    latest = static_cast<std::uint32_t>(at);
  }
  Match Longest(std::size_t at) const {
    Match best;
    if (at + kMinMatch > text_.size()) return best;
    std::uint32_t earlier = latest_[HashAt(text_, at)];
    for (int tries = 0; tries < kTries && earlier != kNowhere; ++tries) {
      const std::size_t length = CommonLength(text_, earlier, at);
      if (length > best.length) best = {length, at - earlier};
      earlier = before_[earlier];
    }
    return best;
  }

 private:
  const std::string_view text_;
  std::vector<std::uint32_t> latest_;
  std::vector<std::uint32_t> before_;
};

}  // namespace

std::string Pack(std::string_view text) {
  std::string packed;
  PutNumber(packed, text.size());
  PutNumber(packed, Checksum(text));
  Places places(text);
  std::size_t plain = 0;  // where the bytes begin that are not written yet
  for (std::size_t at = 0; at < text.size();) {
    const Match match = places.Longest(at);
    if (match.length < kMinMatch) {
      places.Add(at);
      at += 1 + (at - plain) / 256;  // what has no match for long is noise: hurry on
      continue;
    }
    PutNumber(packed, at - plain);
    packed += text.substr(plain, at - plain);
    PutNumber(packed, match.length - kMinMatch);
    PutNumber(packed, match.distance);
    for (const std::size_t end = at + match.length; at < end; ++at) places.Add(at);
    plain = at;
  }
  PutNumber(packed, text.size() - plain);
  packed += text.substr(plain);
  return packed;
}

std::optional<std::string> Unpack(std::string_view packed, std::size_t max_size) {
  const auto size = TakeNumber(packed);
  const auto checksum = TakeNumber(packed);
  if (!size || *size > max_size || !checksum) return std::nullopt;
  std::string text;
  while (true) {
    const auto plain = TakeNumber(packed);
    if (!plain || *plain > packed.size() || *plain > *size - text.size()) return std::nullopt;
    text += packed.substr(0, *plain);
    packed.remove_prefix(*plain);
    if (packed.empty()) break;
    const auto beyond = TakeNumber(packed);
    const auto distance = TakeNumber(packed);
    if (!beyond || !distance) return std::nullopt;
    const std::size_t length = *beyond + kMinMatch;
    if (*distance == 0 || *distance > text.size() || length > *size - text.size())
      return std::nullopt;
    // Byte by byte: a match may reach into what it writes.
    for (std::size_t i = 0; i < length; ++i) text += text[text.size() - *distance];
  }
  if (text.size() != *size || Checksum(text) != *checksum) return std::nullopt;
  return text;
}

}  // namespace imagesweep
