#include "agent/gc/plan/pick_order.h"

#include <algorithm>
#include <utility>

#include "agent/gc/plan/order.h"

namespace imagesweep {
namespace {

constexpr std::size_t kCountedAnew = 16;

}  // namespace

PickOrder::PickOrder(const PlanContext& context, ReclaimEstimator& reclaim, const DiskSpace& goal,
                     std::vector<ImagePos> images)
    : context_(context),
      reclaim_(reclaim),
      by_inodes_(goal.bytes == 0 && goal.inodes > 0),
      images_(std::move(images)) {
  SortLeastRecentlyUsedFirst(context_, images_);
}

bool PickOrder::Equals(ImagePos one, ImagePos other) const {
  const ImageAge &left = context_.age(one), &right = context_.age(other);
  return left.last_used.has_value() == right.last_used.has_value() &&
         left.unused_for == right.unused_for;
}

// By the runtime's size where the layers are unknown.
std::uint64_t PickOrder::Frees(ImagePos at) {
  const auto gain = reclaim_.Next(at);
  if (!gain) return context_.image(at).size_bytes;
  return by_inodes_ ? gain->inodes : gain->bytes;
}

void PickOrder::BeginEquals() {
  end_of_equals_ = next_ + 1;
  while (end_of_equals_ < images_.size() && Equals(images_[next_], images_[end_of_equals_]))
    ++end_of_equals_;
  std::vector<std::pair<std::uint64_t, ImagePos>> equals;
  for (std::size_t i = next_; i < end_of_equals_; ++i)
    equals.emplace_back(Frees(images_[i]), images_[i]);
  std::ranges::stable_sort(equals, std::ranges::greater(),
                           [](const auto& one) { return one.first; });
  std::ranges::transform(equals, images_.begin() + static_cast<std::ptrdiff_t>(next_),
                         [](const auto& one) { return one.second; });
}

std::optional<ImagePos> PickOrder::Next() {
  if (next_ == images_.size()) return std::nullopt;
  if (next_ >= end_of_equals_) BeginEquals();
  const std::size_t end = std::min(end_of_equals_, next_ + kCountedAnew);
  std::size_t most = next_;
  std::uint64_t most_frees = Frees(images_[most]);
  for (std::size_t i = next_ + 1; i < end; ++i)
    if (const std::uint64_t frees = Frees(images_[i]); frees > most_frees) {
      most = i;
      most_frees = frees;
    }
  const auto begin = images_.begin();
  std::rotate(begin + static_cast<std::ptrdiff_t>(next_), begin + static_cast<std::ptrdiff_t>(most),
              begin + static_cast<std::ptrdiff_t>(most) + 1);
  return images_[next_++];
}

}  // namespace imagesweep
