#pragma once

#include <span>
#include <stop_token>
#include <string_view>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/runtime/cri/endpoint.h"

namespace imagesweep::cri {

// Calls Version on each candidate and returns the first that answers with CRI v1. A socket file
// alone proves nothing: Docker's containerd, for example, has the CRI plugin disabled. If no
// candidate answers, the error lists every candidate with the reason. It is kDenied if at least one
// candidate fails for lack of a permission, otherwise kUnavailable. `patience` is the timeout for
// each candidate.
Result<Endpoint> Detect(std::span<const Endpoint> candidates, const std::stop_token& stop,
                        Millis patience = std::chrono::seconds(2));

// Resolves --runtime-endpoint: the value of the flag or, if it is empty, the endpoint that Detect
// finds below `prefix`.
Result<Endpoint> ChooseEndpoint(std::string_view flag, std::string_view prefix,
                                const std::stop_token& stop);

}  // namespace imagesweep::cri
