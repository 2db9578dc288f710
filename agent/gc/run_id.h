#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/base/clock.h"

namespace imagesweep {

// 64 random bits of the kernel, for seeds and names.
std::uint64_t RandomSeed();

// A run ID: 12 hexadecimal digits of its time in milliseconds, so that IDs sort by time, and 8
// random ones.
std::string NewRunId(SystemTime now);

// The first 12 hexadecimal digits of the SHA-256 of the text, which identify a policy.
std::string Fingerprint(std::string_view text);

}  // namespace imagesweep
