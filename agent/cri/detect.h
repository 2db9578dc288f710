#pragma once

#include <span>
#include <stop_token>
#include <string_view>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/cri/endpoint.h"

namespace imagesweep::cri {

// Asks each candidate for its Version and returns the first that answers CRI v1: a socket file
// alone proves nothing, Docker's containerd for one has CRI switched off.  When none answers, the
// error (kUnavailable; kDenied when a permission was all that stood in the way of one) lists every
// candidate and why not.  `patience` is for each candidate.
Result<Endpoint> Detect(std::span<const Endpoint> candidates, const std::stop_token& stop,
                        Millis patience = std::chrono::seconds(2));

// What --runtime-endpoint means: its value when it is given, what Detect finds below `prefix` when
// it is empty.
Result<Endpoint> ChooseEndpoint(std::string_view flag, std::string_view prefix,
                                const std::stop_token& stop);

}  // namespace imagesweep::cri
