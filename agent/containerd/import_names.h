#pragma once

#include <containerd/images.grpc.pb.h>

#include <string>
#include <vector>

#include "agent/containerd/call.h"

namespace imagesweep::containerd {

enum class Naming {
  kMade,
  kThere,      // the name meant this image already
  kElsewhere,  // it means another image by now, and goes on to
};

// Makes a record of the image as the CRI plugin makes them, which then lists it.  Never moves a
// name from one image to another.
Result<Naming> MakeName(const Calls& calls, ::containerd::services::images::v1::Images::Stub& stub,
                        const std::string& name_space, const std::string& name,
                        const ::containerd::types::Descriptor& target);

// The record of that name.
Result<::containerd::services::images::v1::Image> FindName(
    const Calls& calls, ::containerd::services::images::v1::Images::Stub& stub,
    const std::string& name_space, const std::string& name);

}  // namespace imagesweep::containerd
