#include "agent/gc/run_id.h"

#include <openssl/evp.h>

#include <array>
#include <cstdio>
#include <random>

namespace imagesweep {

std::uint64_t RandomSeed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

std::string NewRunId(SystemTime now) {
  const auto millis = std::chrono::floor<Millis>(now.time_since_epoch()).count();
  char text[32];
  std::snprintf(text, sizeof text, "%012llx%08llx", static_cast<unsigned long long>(millis),
                static_cast<unsigned long long>(RandomSeed() & 0xFFFFFFFF));
  return text;
}

std::string Fingerprint(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string hex;
  for (std::size_t i = 0; i < 6; ++i) {
    char byte[3];
    std::snprintf(byte, sizeof byte, "%02x", static_cast<unsigned>(digest[i]));
    hex += byte;
  }
  return hex;
}

}  // namespace imagesweep
