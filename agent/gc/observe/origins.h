#pragma once

#include <string>
#include <utility>
#include <vector>

#include "agent/model/ports.h"

namespace imagesweep {

// Determines the origin of images by the proofs of all its sources, the strongest first.
class OriginJudge final : public OriginReader {
 public:
  // They must outlive it.
  explicit OriginJudge(std::vector<OriginSource*> sources) : sources_(std::move(sources)) {}
  std::vector<std::string> Fill(std::span<Image> images, const RuntimeIdentity& runtime,
                                const std::stop_token& stop) override;

 private:
  const std::vector<OriginSource*> sources_;
};

}  // namespace imagesweep
