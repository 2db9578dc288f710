#include "agent/base/codec.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>

namespace imagesweep {
namespace {

const unsigned char* Bytes(std::string_view text) {
  return static_cast<const unsigned char*>(static_cast<const void*>(text.data()));
}
unsigned char* Bytes(std::string& text) {
  return static_cast<unsigned char*>(static_cast<void*>(text.data()));
}

constexpr int kGzipWindow = 15 + 16;  // zlib.h: 16 more for a gzip header and trailer
constexpr int kMemory = 8;
constexpr std::size_t kStep = 256UL * 1024;

// zlib's next_in is not const by default, but zlib does not write through it.
Bytef* ZlibBytes(const char* text) {
  return static_cast<Bytef*>(static_cast<void*>(const_cast<char*>(text)));
}
Bytef* ZlibBytes(char* text) {
  return static_cast<Bytef*>(static_cast<void*>(text));
}

bool TooLong(std::string_view bytes) {
  return bytes.size() > std::numeric_limits<uInt>::max();
}

}  // namespace

std::string ToBase64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL appends a zero byte
  EVP_EncodeBlock(Bytes(text), Bytes(bytes), static_cast<int>(bytes.size()));
  text.pop_back();
  return text;
}

Result<std::string> FromBase64(std::string_view text) {
  const Error bad{ErrorKind::kIncomplete, "is not base64"};
  if (text.empty()) return std::string();
  if (text.size() % 4 != 0) return bad;
  std::string bytes(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(Bytes(bytes), Bytes(text), static_cast<int>(text.size())) < 0) return bad;
  for (std::size_t padding = 0; padding < 2 && text[text.size() - 1 - padding] == '='; ++padding)
    bytes.pop_back();
  // OpenSSL trims blanks and reads '=' as zero bits at any position.
  if (ToBase64(bytes) != text) return bad;
  return bytes;
}

std::string UrlEncoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += "0123456789ABCDEF"[byte >> 4];
    encoded += "0123456789ABCDEF"[byte & 0xF];
  }
  return encoded;
}

Result<std::string> Gzip(std::string_view bytes) {
  if (TooLong(bytes)) return Error{ErrorKind::kInvalid, "too large to compress"};
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemory,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    return Error{ErrorKind::kInternal, "zlib: cannot initialize compression"};
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, deflateEnd);
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = ZlibBytes(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = ZlibBytes(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
    return Error{ErrorKind::kInternal, "zlib: compression failed"};
  packed.resize(stream.total_out);
  packed.shrink_to_fit();
  return packed;
}

Result<std::string> Gunzip(std::string_view packed, std::size_t most) {
  if (TooLong(packed)) return Error{ErrorKind::kIncomplete, "too large to decompress"};
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK)
    return Error{ErrorKind::kInternal, "zlib: cannot initialize decompression"};
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  stream.next_in = ZlibBytes(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text;
  int code = Z_OK;
  while (code == Z_OK) {
    const std::size_t held = text.size();
    // One byte more than allowed is enough to detect a result that is too long.
    const std::size_t room = std::min(kStep, most + 1 - held);
    if (room == 0)
      return Error{ErrorKind::kIncomplete,
                   "decompresses to more than " + std::to_string(most) + " bytes"};
    text.resize(held + room);
    stream.next_out = ZlibBytes(text.data() + held);
    stream.avail_out = static_cast<uInt>(room);
    code = inflate(&stream, Z_NO_FLUSH);
    text.resize(held + room - stream.avail_out);
  }
  if (text.size() > most)
    return Error{ErrorKind::kIncomplete,
                 "decompresses to more than " + std::to_string(most) + " bytes"};
  if (code != Z_STREAM_END || stream.avail_in != 0)
    return Error{ErrorKind::kIncomplete, "not a complete gzip stream"};
  return text;
}

std::string Sha256Hex(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(static_cast<const unsigned char*>(static_cast<const void*>(bytes.data())), bytes.size(),
         digest.data());
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const unsigned char byte : digest) {
    text += kHex[byte >> 4U];
    text += kHex[byte & 0xFU];
  }
  return text;
}

}  // namespace imagesweep
