#include <openssl/evp.h>

#include "agent/server/web/frame.h"

namespace imagesweep::web {
namespace {

// 'sha256-…', the source expression of inline content in a content security policy (CSP Level 3,
// 2.3.1).
std::string SourceHash(std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  // It cannot fail with this algorithm; a wrong hash would only keep the page plain.
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  unsigned char base64[4 * EVP_MAX_MD_SIZE / 3 + 4];
  const int length = EVP_EncodeBlock(base64, digest, static_cast<int>(size));
  return "'sha256-" + std::string(base64, base64 + length) + "'";
}

}  // namespace

const std::vector<std::pair<std::string, std::string>>& PageHeaders() {
  static const std::vector<std::pair<std::string, std::string>> kHeaders{
      {"Content-Security-Policy",
       "default-src 'none'; style-src " + SourceHash(kStyle) + "; script-src " +
           SourceHash(kScript) +
           "; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
           "frame-ancestors 'none'"},
      {"ImageUser-Policy", "no-referrer"},
      {"X-Frame-Options", "DENY"},
      {"Cross-Origin-Resource-Policy", "same-origin"}};
  return kHeaders;
}

}  // namespace imagesweep::web
