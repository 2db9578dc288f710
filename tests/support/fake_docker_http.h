#pragma once

#include <optional>
#include <string>

#include "tests/support/fake_docker.h"

// For the fake daemon alone: the texts of HTTP, and the versions of the API.
namespace imagesweep::fake_docker {

FakeEngineRequest ParseTarget(std::string method, std::string target);
std::string Chunk(const std::string& data);
// The status line and the headers.
std::string Head(const FakeEngineNode& node, const FakeEngineReply& reply, bool chunked);
// The answer to a version that the daemon does not know.
std::optional<FakeEngineReply> Refused(const FakeEngineNode& node, const std::string& version);

}  // namespace imagesweep::fake_docker
