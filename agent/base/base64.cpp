#include "agent/base/base64.h"

#include <openssl/evp.h>

namespace imagesweep::kube {
namespace {

const unsigned char* Bytes(std::string_view text) {
  return static_cast<const unsigned char*>(static_cast<const void*>(text.data()));
}
unsigned char* Bytes(std::string& text) {
  return static_cast<unsigned char*>(static_cast<void*>(text.data()));
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

}  // namespace imagesweep::kube
