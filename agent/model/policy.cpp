#include "agent/model/policy.h"

#include <utility>

namespace imagesweep {

Policy Policy::Default() {
  Policy policy;
  if (auto local = ImageGlob::Parse("localhost/**"))
    policy.keep.images.push_back(*std::move(local));
  return policy;
}

}  // namespace imagesweep
