#pragma once

#include <string>
#include <utility>

#include "agent/model/ports.h"

namespace imagesweep {

// Dry run is a remover that does not remove.  Everything before it is the very same code, so a dry
// run cannot lie about what a real run would choose.
class DryRunRemover final : public ImageRemover {
 public:
  Result<Removal> Remove(const Image&, DeletionGuard& guard, const std::stop_token&) override {
    std::string why = guard.WhyNot();
    if (!why.empty()) return Removal::Skipped(std::move(why));
    return Removal::kWouldRemove;
  }
};

}  // namespace imagesweep
