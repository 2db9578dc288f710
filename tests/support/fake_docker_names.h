#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/fake_docker.h"

// For the fake daemon alone: how moby finds, names, and deletes images.
namespace imagesweep::fake_docker {

using nlohmann::json;

std::string Short(const std::string& id);  // 12 hex digits
std::string Familiar(std::string name);    // "nginx:latest" of "docker.io/library/nginx"
// By ID, by name, or by the start of the ID, in this order. Null: none.
FakeEngineImage* Find(FakeEngineNode& node, const std::string& text);
FakeEngineReply Json(const json& value, int status = 200);
FakeEngineReply NoSuchImage(const std::string& text);
// DELETE /images/{text} and POST /images/{text}/tag.
FakeEngineReply Delete(FakeEngineNode& node, const std::string& text);
FakeEngineReply Tag(FakeEngineNode& node, const std::string& text,
                    const FakeEngineRequest& request);

}  // namespace imagesweep::fake_docker
