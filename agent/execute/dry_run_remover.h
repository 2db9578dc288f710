#pragma once

#include <string>
#include <utility>

#include "agent/model/ports.h"

namespace imagesweep {

// A remover that does not remove.  All other code is the same, so that a dry run selects the same
// images as a real run.
class DryRunRemover final : public ImageRemover {
 public:
  Result<Removal> Remove(const Image&, DeletionGuard& guard, const std::stop_token&) override {
    std::string why = guard.WhyNot();
    if (!why.empty()) return Removal::Skipped(std::move(why));
    return Removal::kWouldRemove;
  }
};

}  // namespace imagesweep
