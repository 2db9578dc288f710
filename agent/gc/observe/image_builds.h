#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/image_build.h"
#include "agent/model/plan.h"

namespace imagesweep {

// The COPY, ADD, and RUN instructions of a build, the first one first.  Other instructions hold
// settings, which may be secret, and so do the build arguments before a command of RUN: both are
// left out.  Keeps the last kMaxSteps steps, because the first ones are those of the base image,
// and the beginning of each.
inline constexpr std::size_t kMaxSteps = 20;
inline constexpr std::size_t kMaxStepBytes = 300;
std::vector<std::string> StepsOf(const std::vector<std::string>& created_by);

// How the images were built that the plan removes and that no evidence shows to be in a registry.
// Read before the removal, because the runtime forgets it with the image.  Images without any
// record are left out.
Result<std::vector<ImageBuild>> ReadBuilds(const Plan& plan, const ByImage<Image>& images,
                                           BuildReader& reader, const std::stop_token& stop);

}  // namespace imagesweep
