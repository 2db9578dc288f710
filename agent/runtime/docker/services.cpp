#include "agent/runtime/docker/services.h"

#include <string>
#include <utility>

#include "agent/runtime/docker/json.h"

namespace imagesweep::docker {
namespace {

// A service of a plugin or a network has no container.
Status AddImage(Fields spec, const ImageUser& by, std::vector<ImageReference>& references) {
  Fields task(spec.Object("TaskTemplate")), container(task.Object("ContainerSpec"));
  const std::string image = container.Text("Image");
  for (const Fields* part : {&task, &container}) spec.Check(*part);
  if (!spec.ok()) return spec.error();
  if (image.empty()) return Done{};
  references.push_back({image, {}, by});
  // A manager adds the digest to the name. The image on this node may be known by the name alone.
  if (const auto at = image.find('@'); at != std::string::npos)
    references.push_back({image.substr(0, at), {}, by});
  return Done{};
}

}  // namespace

Result<std::vector<ImageReference>> ReadServices(const Client& client,
                                                 const std::stop_token& stop) {
  const Request request{.target = "/services", .name = "GET /services"};
  const auto reply = client.Send(request, stop);
  if (!reply) return reply.error();
  if (!reply->ok())
    return Error{
        ErrorKind::kIncomplete,
        "this node is in a swarm, and the services of the swarm, which may need any image, "
        "cannot be read here: " +
            ErrorOf(request, *reply).what};
  const auto json = ParseJson(reply->body);
  if (!json) return json.error().Wrap("GET /services");
  if (!json->is_array()) return Error{ErrorKind::kIncomplete, "GET /services: not a list"};
  std::vector<ImageReference> references;
  for (const Json& entry : *json) {
    Fields service(entry), spec(service.Object("Spec"));
    ImageUser by;
    by.kind = ImageUserKind::kContainer;
    by.container = "swarm service " + spec.NeededText("Name");
    service.Check(spec);
    if (!service.ok()) return service.error().Wrap("GET /services");
    for (const char* which : {"Spec", "PreviousSpec"})
      if (auto added = AddImage(Fields(service.Object(which)), by, references); !added)
        return added.error().Wrap("GET /services");
  }
  return references;
}

}  // namespace imagesweep::docker
