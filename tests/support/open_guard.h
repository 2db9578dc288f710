#pragma once

#include <string>

#include "agent/model/ports.h"

namespace imagesweep {

// Allows every removal except those that it is told to refuse, and counts the requests.
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
