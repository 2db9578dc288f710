#include "agent/gc/plan/selection.h"

#include <algorithm>
#include <utility>

namespace imagesweep {

bool Selection::Fits(ImagePos at) const {
  return context_.seen().WhyUnavailable(at).empty() &&
         limits_.WhyNot(context_.image(at).size_bytes).empty();
}

bool Selection::Fit(const std::vector<ImagePos>& images) const {
  RunLimits left = limits_;
  for (const auto at : images) {
    if (!left.WhyNot(context_.image(at).size_bytes).empty()) return false;
    left.Take(context_.image(at).size_bytes);
  }
  return true;
}

void Selection::Add(ImagePos at) {
  all_.Add(at);
  if (!Fits(at)) return;
  limits_.Take(context_.image(at).size_bytes);
  now_.Add(at);
}

std::vector<ImagePos> Selection::EnoughTogether(std::vector<ImagePos> images,
                                                const DiskSpace& goal) {
  std::erase_if(images, [&](ImagePos at) { return !Fits(at); });
  while (true) {
    auto group = now_.EnoughTogether(images, goal);
    if (group.empty() || Fit(group)) return group;
    // Others may free enough with fewer images or smaller ones.
    const auto biggest =
        std::ranges::max(group, {}, [&](ImagePos at) { return context_.image(at).size_bytes; });
    std::erase(images, biggest);
  }
}

}  // namespace imagesweep
