#pragma once

#include <string>
#include <string_view>

#include "agent/policy/parse.h"

namespace imagesweep {

// A document with these lines after its head. The first of them is line 3.
inline std::string WithHead(std::string_view lines) {
  return "apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\n" + std::string(lines);
}

// The errors of a document, or "good".
inline std::string Verdict(std::string_view yaml) {
  const auto policy = ParsePolicy(yaml);
  return policy ? "good" : policy.error().what;
}

}  // namespace imagesweep
