#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace imagesweep::containerd {

// "sha256:" and 64 hexadecimal digits in lower case. An archive has no other digests.
bool IsSha256(std::string_view digest);

// Computes the digest of the bytes added so far.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Add(std::string_view bytes);
  // "sha256:…". Add nothing after this call.
  std::string Digest();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

std::string DigestOf(std::string_view bytes);

}  // namespace imagesweep::containerd
