#pragma once

#include <containerd/images.grpc.pb.h>

#include <string>
#include <vector>

#include "agent/runtime/containerd/call.h"

namespace imagesweep::containerd {

enum class Naming {
  kMade,
  kThere,      // the name already referred to this image
  kElsewhere,  // the name refers to another image and was not changed
};

// Creates a record of the image as the CRI plugin does, which then lists it. Never moves a name
// from one image to another.
Result<Naming> MakeName(const Calls& calls, ::containerd::services::images::v1::Images::Stub& stub,
                        const std::string& name_space, const std::string& name,
                        const ::containerd::types::Descriptor& target);

// Reads the record with that name.
Result<::containerd::services::images::v1::Image> FindName(
    const Calls& calls, ::containerd::services::images::v1::Images::Stub& stub,
    const std::string& name_space, const std::string& name);

}  // namespace imagesweep::containerd
