#include "agent/runtime/cri/build_reader.h"

#include <utility>

#include "agent/runtime/cri/call.h"
#include "agent/runtime/cri/info_json.h"
#include "agent/runtime/cri/stubs.h"

namespace imagesweep::cri {

CriBuildReader::CriBuildReader(std::shared_ptr<Connection> connection)
    : connection_(std::move(connection)) {}

Result<BuildFacts> CriBuildReader::ReadBuild(const Image& image, const std::stop_token& stop) {
  const Calls calls(*connection_, connection_->options().read_timeout, stop);
  v1::ImageStatusRequest request;
  request.mutable_image()->set_image(image.id.text());
  request.set_verbose(true);
  const auto reply = calls.UnaryCall("ImageStatus", *connection_->stubs().images,
                                     &v1::ImageService::Stub::ImageStatus, request);
  if (!reply) return reply.error();
  const auto info = reply->info().find("info");
  if (!reply->has_image() || reply->image().id() != image.id.text() || info == reply->info().end())
    return BuildFacts();
  auto facts = BuildOfImage(info->second);
  if (!facts) return std::move(facts).error().Wrap("ImageStatus " + image.id.text() + ": info");
  return facts;
}

}  // namespace imagesweep::cri
