#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/base/clock.h"

namespace imagesweep {

// 64 random bits of the kernel's, for seeds and names.
std::uint64_t RandomSeed();

// A name for one run: 12 hexadecimal digits of its time in milliseconds, so that names sort like
// runs, and 8 random ones.
std::string NewRunId(SystemTime now);

// The first 12 hexadecimal digits of the text's SHA-256: how a policy is recognised.
std::string Fingerprint(std::string_view text);

}  // namespace imagesweep
