#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace imagesweep::containerd {

// "sha256:" and 64 hexadecimal digits, in lower case: the only digests that an archive has.
bool IsSha256(std::string_view digest);

// The digest of what it was given so far.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Add(std::string_view bytes);
  // "sha256:…"; nothing may be added after it.
  std::string Digest();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

std::string DigestOf(std::string_view bytes);

}  // namespace imagesweep::containerd
