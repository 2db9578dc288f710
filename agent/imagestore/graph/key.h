#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imagesweep::layers {

// A sha256 digest in binary: 32 bytes instead of 71 characters.
struct Digest {
  std::array<std::uint64_t, 4> words{};
  friend bool operator==(const Digest&, const Digest&) = default;
};

// Parses only "sha256:" and 64 lower-case hexadecimal digits, the form that ToText() writes.
std::optional<Digest> ParseDigest(std::string_view text);
std::string ToText(const Digest& digest);

// The number of a text in a KeyTable.
enum class Key : std::uint32_t {};
constexpr Key kNoKey{0xFFFFFFFF};

// Maps texts to numbers and back.  Stores digests (blobs, chain IDs, image IDs) in binary, and
// other texts (names, container IDs, digests of other algorithms) unchanged.  Equal texts have
// equal keys. Entries are never deleted.  Reads are safe from any thread.
class KeyTable {
 public:
  Key Intern(std::string_view text);
  Key Find(std::string_view text) const;  // kNoKey if unknown
  std::string Text(Key key) const;

  void Trim();  // releases memory that was reserved for growth
  std::size_t size() const { return digests_.size() + text_ends_.size(); }
  // Less than size(), and different for every key.  Changes if keys are added.
  std::size_t Index(Key key) const {
    const auto number = static_cast<std::uint32_t>(key);
    return (number & kTextBit) == 0 ? number : digests_.size() + (number & ~kTextBit);
  }

 private:
  static constexpr std::uint32_t kTextBit = 0x80000000;
  static constexpr std::uint32_t kFree = 0xFFFFFFFF;
  // Slots of open addressing; a power of two, at most three quarters full.
  using Slots = std::vector<std::uint32_t>;
  std::string_view TextAt(std::uint32_t at) const;
  std::size_t SlotOf(const Digest& digest) const;
  std::size_t SlotOf(std::string_view text) const;
  void GrowDigests();
  void GrowTexts();

  std::vector<Digest> digests_;
  Slots digest_slots_;
  std::string texts_;
  std::vector<std::size_t> text_ends_;
  Slots text_slots_;
};

}  // namespace imagesweep::layers
