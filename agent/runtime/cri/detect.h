#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
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

// Explains why no client can connect through this socket file, and how to fix it. Empty if a server
// listens. Use it for messages only: it looks after the failed call, so no decision may rest on it.
// Never blocks.
std::optional<Error> ProbeSocket(const std::string& path);

// The inode of the socket file. A restarted runtime creates a new file.
Result<std::uint64_t> SocketInode(const std::string& path);

}  // namespace imagesweep::cri
