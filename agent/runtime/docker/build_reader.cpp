#include "agent/runtime/docker/build_reader.h"

#include <string>
#include <utility>

#include "agent/runtime/docker/engine.h"
#include "agent/runtime/docker/images.h"

namespace imagesweep::docker {

Result<BuildFacts> EngineBuildReader::ReadBuild(const Image& image, const std::stop_token& stop) {
  const std::string& id = image.id.text();
  auto inspected = Inspect(client_, id, stop);
  if (!inspected) return std::move(inspected).error();
  if (!*inspected || (*inspected)->id != id) return BuildFacts();
  const Request request{.target = "/images/" + Escaped(id) + "/history",
                        .name = "GET /images/{id}/history"};
  const auto reply = client_.Send(request, stop);
  if (!reply) return reply.error();
  if (reply->status == 404) return BuildFacts();
  if (!reply->ok()) return ErrorOf(request, *reply);
  auto history = ParseHistory(reply->body);
  if (!history) return std::move(history).error().Wrap(request.name);
  return BuildFacts{std::move((*inspected)->labels), *std::move(history)};
}

}  // namespace imagesweep::docker
