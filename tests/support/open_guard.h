#pragma once

#include <string>

#include "agent/model/ports.h"

namespace imagesweep {

// Lets everything go that it is not told to keep, and counts how often it was asked.
struct OpenGuard final : DeletionGuard {
  std::string WhyNot() override {
    ++asked;
    return why;
  }
  bool StillHolds() override { return true; }
  std::string why;
  int asked = 0;
};

}  // namespace imagesweep
