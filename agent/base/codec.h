#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "agent/base/result.h"

namespace imagesweep {

// RFC 4648, with padding, without line breaks.
std::string ToBase64(std::string_view bytes);
// kIncomplete for any text that ToBase64 does not write.
Result<std::string> FromBase64(std::string_view text);

// `text` for one value of a query or one segment of a path, RFC 3986: only unreserved characters
// stay.
std::string UrlEncoded(std::string_view text);

// RFC 1952, without a name and a time, so that the output is reproducible.
Result<std::string> Gzip(std::string_view bytes);

// The reverse of Gzip.  kIncomplete if `packed` is not exactly one complete gzip stream, or if the
// result is longer than `most`.  Never holds more than `most` bytes.
Result<std::string> Gunzip(std::string_view packed, std::size_t most);

// SHA-256 in lower-case hex, 64 characters.  Pure.
std::string Sha256Hex(std::string_view bytes);

}  // namespace imagesweep
