#include "agent/imagestore/graph/key.h"

#include <functional>

namespace imagesweep::layers {

namespace {

constexpr std::string_view kAlgorithm = "sha256:";
constexpr std::size_t kFirstSlots = 64;

constexpr std::array<std::int8_t, 256> kNibble = [] {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  std::int8_t value = 0;
  for (const char c : std::string_view("0123456789abcdef"))
    table[static_cast<unsigned char>(c)] = value++;
  return table;
}();

// Digests are random, but the author of an image can choose some of their bits.
std::size_t Hash(const Digest& digest) {
  std::uint64_t hash = digest.words[0] ^ (digest.words[1] << 1) ^ (digest.words[2] >> 1);
  hash = (hash ^ digest.words[3]) * 0x9E3779B97F4A7C15ULL;
  return static_cast<std::size_t>(hash ^ (hash >> 32));
}

bool Crowded(std::size_t entries, std::size_t slots) {
  return (entries + 1) * 4 > slots * 3;
}

}  // namespace

std::optional<Digest> ParseDigest(std::string_view text) {
  if (text.size() != kAlgorithm.size() + 64 || !text.starts_with(kAlgorithm)) return std::nullopt;
  Digest digest;
  text.remove_prefix(kAlgorithm.size());
  int wrong = 0;
  for (std::size_t word = 0; word < 4; ++word) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 16; ++i) {
      const std::int8_t nibble = kNibble[static_cast<unsigned char>(text[word * 16 + i])];
      wrong |= nibble;
      value = value << 4 | static_cast<std::uint64_t>(nibble & 0xF);
    }
    digest.words[word] = value;
  }
  if (wrong < 0) return std::nullopt;
  return digest;
}

std::string ToText(const Digest& digest) {
  std::string text(kAlgorithm);
  for (const std::uint64_t word : digest.words)
    for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[word >> shift & 0xF];
  return text;
}

std::string_view KeyTable::TextAt(std::uint32_t at) const {
  const std::size_t begin = at == 0 ? 0 : text_ends_[at - 1];
  return std::string_view(texts_).substr(begin, text_ends_[at] - begin);
}

// The slot that has it, or the free slot for it.
std::size_t KeyTable::SlotOf(const Digest& digest) const {
  const std::size_t mask = digest_slots_.size() - 1;
  std::size_t slot = Hash(digest) & mask;
  while (digest_slots_[slot] != kFree && !(digests_[digest_slots_[slot]] == digest))
    slot = (slot + 1) & mask;
  return slot;
}

std::size_t KeyTable::SlotOf(std::string_view text) const {
  const std::size_t mask = text_slots_.size() - 1;
  std::size_t slot = std::hash<std::string_view>()(text) & mask;
  while (text_slots_[slot] != kFree && TextAt(text_slots_[slot]) != text) slot = (slot + 1) & mask;
  return slot;
}

void KeyTable::GrowDigests() {
  digest_slots_.assign(digest_slots_.empty() ? kFirstSlots : digest_slots_.size() * 2, kFree);
  for (std::uint32_t i = 0; i < digests_.size(); ++i) digest_slots_[SlotOf(digests_[i])] = i;
}

void KeyTable::GrowTexts() {
  text_slots_.assign(text_slots_.empty() ? kFirstSlots : text_slots_.size() * 2, kFree);
  for (std::uint32_t i = 0; i < text_ends_.size(); ++i) text_slots_[SlotOf(TextAt(i))] = i;
}

Key KeyTable::Intern(std::string_view text) {
  if (const auto digest = ParseDigest(text)) {
    if (Crowded(digests_.size(), digest_slots_.size())) GrowDigests();
    std::uint32_t& number = digest_slots_[SlotOf(*digest)];
    if (number == kFree) {
      number = static_cast<std::uint32_t>(digests_.size());
      digests_.push_back(*digest);
    }
    return Key{number};
  }
  if (Crowded(text_ends_.size(), text_slots_.size())) GrowTexts();
  std::uint32_t& number = text_slots_[SlotOf(text)];
  if (number == kFree) {
    number = static_cast<std::uint32_t>(text_ends_.size());
    texts_ += text;
    text_ends_.push_back(texts_.size());
  }
  return Key{number | kTextBit};
}

void KeyTable::Trim() {
  digests_.shrink_to_fit();
  texts_.shrink_to_fit();
  text_ends_.shrink_to_fit();
}

Key KeyTable::Find(std::string_view text) const {
  if (const auto digest = ParseDigest(text)) {
    if (digest_slots_.empty()) return kNoKey;
    const std::uint32_t number = digest_slots_[SlotOf(*digest)];
    return number == kFree ? kNoKey : Key{number};
  }
  if (text_slots_.empty()) return kNoKey;
  const std::uint32_t number = text_slots_[SlotOf(text)];
  return number == kFree ? kNoKey : Key{number | kTextBit};
}

std::string KeyTable::Text(Key key) const {
  if (key == kNoKey) return {};
  const auto number = static_cast<std::uint32_t>(key);
  if ((number & kTextBit) == 0) return ToText(digests_[number]);
  return std::string(TextAt(number & ~kTextBit));
}

}  // namespace imagesweep::layers
