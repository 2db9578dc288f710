#include "agent/state/pack.h"

#include <zlib.h>

#include <utility>

namespace imagesweep {
namespace {

// The length of the text in four bytes, little-endian, precedes zlib's stream (RFC 1950, which ends
// with a checksum).
constexpr std::size_t kLengthBytes = 4;

const Bytef* Bytes(const char* text) {
  return static_cast<const Bytef*>(static_cast<const void*>(text));
}
Bytef* Bytes(char* text) {
  return static_cast<Bytef*>(static_cast<void*>(text));
}

}  // namespace

std::string Pack(std::string_view text) {
  uLongf size = compressBound(text.size());
  std::string packed(kLengthBytes + size, '\0');
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    packed[i] = static_cast<char>((text.size() >> (8 * i)) & 0xFF);
  // This cannot fail, because the buffer fits the worst case.
  compress2(Bytes(packed.data() + kLengthBytes), &size, Bytes(text.data()), text.size(),
            Z_DEFAULT_COMPRESSION);
  packed.resize(kLengthBytes + size);
  return packed;
}

std::optional<std::string> Unpack(std::string_view packed, std::size_t max_size) {
  if (packed.size() < kLengthBytes) return std::nullopt;
  std::size_t size = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    size |= static_cast<std::size_t>(static_cast<unsigned char>(packed[i])) << (8 * i);
  if (size > max_size) return std::nullopt;
  std::string text(size, '\0');
  uLongf written = size;
  uLong read = packed.size() - kLengthBytes;
  const int code =
      uncompress2(Bytes(text.data()), &written, Bytes(packed.data() + kLengthBytes), &read);
  const bool whole = code == Z_OK && written == size && read + kLengthBytes == packed.size();
  return whole ? std::optional(std::move(text)) : std::nullopt;
}

}  // namespace imagesweep
