#include "agent/gc/plan/selection.h"

#include <algorithm>
#include <utility>

namespace imagesweep {

bool Selection::Fits(std::uint32_t at) const {
  return context_.seen().WhyUnavailable(at).empty() &&
         limits_.WhyNot(context_.image(at).size_bytes).empty();
}

bool Selection::Fit(const std::vector<std::uint32_t>& images) const {
  RunLimits left = limits_;
  for (const auto at : images) {
    if (!left.WhyNot(context_.image(at).size_bytes).empty()) return false;
    left.Take(context_.image(at).size_bytes);
  }
  return true;
}

void Selection::Add(std::uint32_t at) {
  all_.Add(at);
  if (!Fits(at)) return;
  limits_.Take(context_.image(at).size_bytes);
  now_.Add(at);
}

std::vector<std::uint32_t> Selection::EnoughTogether(std::vector<std::uint32_t> images,
                                                     const DiskSpace& goal) {
  std::erase_if(images, [&](std::uint32_t at) { return !Fits(at); });
  while (true) {
    auto group = now_.EnoughTogether(images, goal);
    if (group.empty() || Fit(group)) return group;
    // Others may free enough with fewer images or smaller ones.
    const auto biggest = std::ranges::max(
        group, {}, [&](std::uint32_t at) { return context_.image(at).size_bytes; });
    std::erase(images, biggest);
  }
}

}  // namespace imagesweep
