#include "agent/runtime/cri/layer_facts.h"

#include <algorithm>
#include <set>
#include <utility>

#include "agent/runtime/cri/call.h"
#include "agent/runtime/cri/info_json.h"
#include "agent/runtime/cri/stubs.h"

namespace imagesweep::cri {

LayerFacts::LayerFacts(std::shared_ptr<Connection> connection)
    : connection_(std::move(connection)) {}

Result<std::vector<DiffIds>> LayerFacts::Read(std::span<const Image> images,
                                              const std::stop_token& stop) {
  const Calls calls(*connection_, connection_->options().read_timeout, stop);
  std::map<std::string, DiffIds> known;
  std::vector<DiffIds> result;
  result.reserve(images.size());
  for (const Image& image : images) {
    const std::string& id = image.id.text();
    if (const auto found = known_.find(id); found != known_.end()) {
      result.push_back(found->second);
      known.emplace(id, found->second);
      continue;
    }
    v1::ImageStatusRequest request;
    request.mutable_image()->set_image(id);
    request.set_verbose(true);
    auto reply = calls.UnaryCall("ImageStatus", *connection_->stubs().images,
                                 &v1::ImageService::Stub::ImageStatus, request);
    if (!reply) return std::move(reply).error();
    DiffIds diff_ids;
    const auto info = reply->info().find("info");
    if (reply->has_image() && reply->image().id() == id && info != reply->info().end()) {
      auto read = DiffIdsOfImage(info->second);
      if (!read) return read.error().Wrap("ImageStatus " + id + ": info");
      diff_ids = *std::move(read);
    }
    if (!diff_ids.empty()) known.emplace(id, diff_ids);
    result.push_back(std::move(diff_ids));
  }
  known_ = std::move(known);  // only of images that are still there
  return result;
}

LayerBounds::LayerBounds(std::span<const Image> images, const std::vector<DiffIds>& diff_ids,
                         bool sizes_are_unpacked)
    : bounded_(sizes_are_unpacked), chains_(images.size()) {
  // A layer is identified by its own content and everything below it.
  std::map<std::pair<std::uint32_t, std::string_view>, std::uint32_t> numbers;
  constexpr std::uint32_t kNothingBelow = 0xFFFFFFFF;
  for (const ImagePos at : Positions(images)) {
    sizes_.push_back(At(images, at).size_bytes);
    std::uint32_t below = kNothingBelow;
    for (const std::string& diff_id : At(diff_ids, at)) {
      const auto [found, is_new] =
          numbers.try_emplace({below, diff_id}, static_cast<std::uint32_t>(carriers_.size()));
      if (is_new) carriers_.push_back(0);
      below = found->second;
      ++carriers_[below];
      chains_[at].push_back(below);
    }
  }
}

std::size_t LayerBounds::shared_layers(ImagePos image) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      chains_[image], [&](std::uint32_t layer) { return carriers_[layer] > 1; }));
}

std::uint64_t LayerBounds::SumOfChains(std::span<const ImagePos> images) const {
  std::uint64_t sum = 0;
  std::map<std::uint32_t, std::uint64_t> largest;  // by the topmost layer
  for (const ImagePos image : images) {
    if (chains_[image].empty()) {
      sum += sizes_[image];
      continue;
    }
    std::uint64_t& bytes = largest[chains_[image].back()];
    bytes = std::max(bytes, sizes_[image]);
  }
  for (const auto& [top, bytes] : largest) sum += bytes;
  return sum;
}

std::optional<std::uint64_t> LayerBounds::FreesAtMost(std::span<const ImagePos> images) const {
  if (!bounded_) return std::nullopt;
  const std::set<ImagePos> going(images.begin(), images.end());
  std::vector<std::uint32_t> left = carriers_;
  for (const ImagePos image : going)
    for (const std::uint32_t layer : chains_[image]) --left[layer];
  // An image that has a layer has all layers below it, so an image frees none if its topmost layer
  // stays.
  std::vector<ImagePos> freeing;
  for (const ImagePos image : going)
    if (chains_[image].empty() || left[chains_[image].back()] == 0) freeing.push_back(image);
  return SumOfChains(freeing);
}

std::optional<std::uint64_t> LayerBounds::TakesAtMost(std::span<const ImagePos> images) const {
  if (!bounded_) return std::nullopt;
  return SumOfChains(images);
}

}  // namespace imagesweep::cri
