#include "agent/runtime/containerd/delete.h"

namespace imagesweep::containerd {

bool MayHaveHappened(ErrorKind error) {
  return error != ErrorKind::kDenied && error != ErrorKind::kInvalid &&
         error != ErrorKind::kNotFound;
}

// All calls that delete are in the files delete.cpp of this folder, of runtime/cri and of
// runtime/docker.
Status DeleteRecord(const Calls& calls, MetadataReader::Stubs& stubs, const std::string& name_space,
                    const Record& record) {
  api::images::DeleteImageRequest request;
  request.set_name(record.name);
  request.mutable_target()->set_digest(record.target);
  const auto reply =
      calls.In(name_space)
          .UnaryCall("Images.Delete", stubs.images, &api::images::Images::Stub::Delete, request);
  if (!reply) return reply.error();
  return Done{};
}

Status EndLease(const Calls& calls, api::leases::Leases::Stub& leases,
                const std::string& name_space, const std::string& lease, bool sync) {
  api::leases::DeleteRequest request;
  request.set_id(lease);
  request.set_sync(sync);
  const auto reply =
      calls.In(name_space)
          .UnaryCall("Leases.Delete", leases, &api::leases::Leases::Stub::Delete, request);
  if (!reply) return reply.error();
  return Done{};
}

Status CollectGarbage(const Calls& calls, MetadataReader::Stubs& stubs,
                      const std::string& name_space, const std::string& lease,
                      const std::string& expires) {
  api::leases::CreateRequest create;
  create.set_id(lease);
  (*create.mutable_labels())["containerd.io/gc.expire"] = expires;
  const auto made =
      calls.In(name_space)
          .UnaryCall("Leases.Create", stubs.leases, &api::leases::Leases::Stub::Create, create);
  if (!made) return made.error();
  return EndLease(calls, stubs.leases, name_space, lease, true);
}

}  // namespace imagesweep::containerd
