#include "agent/base/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>

namespace imagesweep {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib.h: 16 more for a gzip header and trailer
constexpr int kMemory = 8;
constexpr std::size_t kStep = 256UL * 1024;

// zlib's next_in is not const by default, but zlib does not write through it.
Bytef* Bytes(const char* text) {
  return static_cast<Bytef*>(static_cast<void*>(const_cast<char*>(text)));
}
Bytef* Bytes(char* text) {
  return static_cast<Bytef*>(static_cast<void*>(text));
}

bool TooLong(std::string_view bytes) {
  return bytes.size() > std::numeric_limits<uInt>::max();
}

}  // namespace

Result<std::string> Gzip(std::string_view bytes) {
  if (TooLong(bytes)) return Error{ErrorKind::kInvalid, "too large to compress"};
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemory,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    return Error{ErrorKind::kInternal, "zlib: cannot initialize compression"};
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, deflateEnd);
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = Bytes(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = Bytes(packed.data());
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
  stream.next_in = Bytes(packed.data());
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
    stream.next_out = Bytes(text.data() + held);
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

}  // namespace imagesweep
