#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/base/result.h"

namespace imagesweep {

// Explains why no client can connect through this socket file, and how to fix it. Empty if a server
// listens. Use it for messages only: it looks after the failed call, so no decision may rest on it.
// Never blocks.
std::optional<Error> ProbeSocket(const std::string& path);

// The inode of the socket file. A restarted runtime creates a new file.
Result<std::uint64_t> SocketInode(const std::string& path);

}  // namespace imagesweep
