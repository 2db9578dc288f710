#include "agent/cri/image_remover.h"

#include <algorithm>
#include <utility>

#include "agent/cri/call.h"
#include "agent/cri/stubs.h"

namespace imagesweep::cri {

bool IsFullImageId(std::string_view text) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  const auto is_name = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); };
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return IsFullHexId(text);
  const auto algorithm = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  return !algorithm.empty() && std::ranges::all_of(algorithm, is_name) && digits.size() >= 64 &&
         std::ranges::all_of(digits, is_hex);
}

CriImageRemover::CriImageRemover(std::shared_ptr<Connection> connection)
    : connection_(std::move(connection)) {}

// The only place of the whole program that destroys something.
Result<Removal> CriImageRemover::Remove(const Image& image, const std::stop_token& stop) {
  if (!IsFullImageId(image.id.text()))
    return Error{ErrorKind::kInvalid,
                 "RemoveImage: \"" + image.id.text() + "\" is not a full image id: refused"};
  v1::RemoveImageRequest request;
  request.mutable_image()->set_image(image.id.text());
  if (!image.runtime_handler.empty())
    request.mutable_image()->set_runtime_handler(image.runtime_handler);
  const Calls calls(*connection_, connection_->options().remove_timeout, stop);
  auto reply = calls.Ask("RemoveImage", *connection_->stubs().images,
                         &v1::ImageService::Stub::RemoveImage, request);
  if (!reply && reply.error().kind != ErrorKind::kNotFound) return std::move(reply).error();
  return Removal::kRemoved;
}

}  // namespace imagesweep::cri
