#include "agent/runtime/containerd/import_names.h"

namespace imagesweep::containerd {

namespace api = ::containerd::services::images::v1;

Result<api::Image> FindName(const Calls& calls, api::Images::Stub& stub,
                            const std::string& name_space, const std::string& name) {
  api::GetImageRequest request;
  request.set_name(name);
  auto reply = calls.In(name_space).UnaryCall("Images.Get", stub, &api::Images::Stub::Get, request);
  if (!reply) return std::move(reply).error();
  return std::move(*reply->mutable_image());
}

Result<Naming> MakeName(const Calls& calls, api::Images::Stub& stub, const std::string& name_space,
                        const std::string& name, const ::containerd::types::Descriptor& target) {
  api::CreateImageRequest request;
  request.mutable_image()->set_name(name);
  *request.mutable_image()->mutable_target() = target;
  // The label that the CRI plugin puts on the names that it manages (internal/cri/labels).
  (*request.mutable_image()->mutable_labels())["io.cri-containerd.image"] = "managed";
  auto made =
      calls.In(name_space).UnaryCall("Images.Create", stub, &api::Images::Stub::Create, request);
  if (made) return Naming::kMade;
  // The name probably exists. If not, report the first error.
  const auto found = FindName(calls, stub, name_space, name);
  if (!found) return std::move(made).error();
  return found->target().digest() == target.digest() ? Naming::kThere : Naming::kElsewhere;
}

}  // namespace imagesweep::containerd
