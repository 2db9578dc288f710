#pragma once

#include "agent/model/ports.h"

namespace imagesweep {

// Dry run is a remover that does not remove.  Everything before it is the very same code, so a dry
// run cannot lie about what a real run would choose.
class DryRunRemover final : public ImageRemover {
 public:
  Result<Removal> Remove(const Image&, const std::stop_token&) override {
    return Removal::kWouldRemove;
  }
};

}  // namespace imagesweep
