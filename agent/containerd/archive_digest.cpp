#include "agent/containerd/archive_digest.h"

#include <openssl/evp.h>

#include <array>

#include "agent/model/image_name.h"

namespace imagesweep::containerd {

bool IsSha256(std::string_view digest) {
  constexpr std::string_view kAlgorithm = "sha256:";
  return digest.starts_with(kAlgorithm) && IsFullHexId(digest.substr(kAlgorithm.size()));
}

struct Sha256::State {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
  bool works = context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;

void Sha256::Add(std::string_view bytes) {
  state_->works =
      state_->works && EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1;
}

std::string Sha256::Digest() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned size = 0;
  // Without memory, the digest is the empty text, which never matches.
  if (!state_->works || EVP_DigestFinal_ex(state_->context.get(), sum.data(), &size) != 1)
    return {};
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text = "sha256:";
  for (unsigned at = 0; at < size; ++at) text += {kHex[sum[at] >> 4], kHex[sum[at] & 0xF]};
  return text;
}

std::string DigestOf(std::string_view bytes) {
  Sha256 sum;
  sum.Add(bytes);
  return sum.Digest();
}

}  // namespace imagesweep::containerd
