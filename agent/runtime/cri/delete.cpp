#include "agent/runtime/cri/delete.h"

#include <algorithm>
#include <utility>

#include "agent/runtime/cri/call.h"
#include "agent/runtime/cri/stubs.h"

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

bool SaysInUse(const Error& error) {
  if (error.kind != ErrorKind::kInternal) return false;
  constexpr std::string_view kWords[] = {"image is in use by ", "image used by ",
                                         "is using its referenced image",
                                         "image is being used by "};
  return std::ranges::any_of(
      kWords, [&](std::string_view words) { return error.what.find(words) != std::string::npos; });
}

CriImageRemover::CriImageRemover(std::shared_ptr<Connection> connection)
    : connection_(std::move(connection)) {}

// All calls that delete are in the files delete.cpp of this folder, of runtime/containerd and of
// runtime/docker.
Result<Removal> CriImageRemover::Remove(const Image& image, DeletionGuard& guard,
                                        const std::stop_token& stop) {
  if (!IsFullImageId(image.id.text()))
    return Error{ErrorKind::kInvalid,
                 "RemoveImage: refused: \"" + image.id.text() + "\" is not a full image ID"};
  v1::RemoveImageRequest request;
  request.mutable_image()->set_image(image.id.text());
  if (!image.runtime_handler.empty())
    request.mutable_image()->set_runtime_handler(image.runtime_handler);
  const Calls calls(*connection_, connection_->options().remove_timeout, stop);
  if (std::string why = guard.WhyNot(); !why.empty()) return Removal::Skipped(std::move(why));
  auto reply = calls.UnaryCall("RemoveImage", *connection_->stubs().images,
                               &v1::ImageService::Stub::RemoveImage, request);
  if (!reply && SaysInUse(reply.error()))
    return Removal::InUseElsewhere(std::move(reply).error().what);
  if (!reply && reply.error().kind != ErrorKind::kNotFound) return std::move(reply).error();
  return Removal::kRemoved;
}

}  // namespace imagesweep::cri
