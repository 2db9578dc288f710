#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/base/result.h"

namespace imagesweep::cri {

// Why nobody can talk through this socket file, with the cure; empty when somebody listens.  For
// people only: it looks after the fact, so no decision may rest on it.  Never blocks.
std::optional<Error> ProbeSocket(const std::string& path);

// The inode of the socket file: a restarted runtime makes a new one.
Result<std::uint64_t> SocketInode(const std::string& path);

}  // namespace imagesweep::cri
