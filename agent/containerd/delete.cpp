#include "agent/containerd/delete.h"

namespace imagesweep::containerd {

bool MayHaveHappened(ErrorKind error) {
  return error != ErrorKind::kDenied && error != ErrorKind::kInvalid &&
         error != ErrorKind::kNotFound;
}

// This and cri/image_remover.cpp are the only places in the program that delete images.
Status DeleteRecord(const Calls& calls, Collector::Stubs& stubs, const std::string& name_space,
                    const Record& record) {
  api::images::DeleteImageRequest request;
  request.set_name(record.name);
  request.mutable_target()->set_digest(record.target);
  const auto reply = calls.Ask("Images.Delete", name_space, stubs.images,
                               &api::images::Images::Stub::Delete, request);
  if (!reply) return reply.error();
  return Done{};
}

Status CollectGarbage(const Calls& calls, Collector::Stubs& stubs, const std::string& name_space,
                      const std::string& lease, const std::string& expires) {
  api::leases::CreateRequest create;
  create.set_id(lease);
  (*create.mutable_labels())["containerd.io/gc.expire"] = expires;
  const auto made = calls.Ask("Leases.Create", name_space, stubs.leases,
                              &api::leases::Leases::Stub::Create, create);
  if (!made) return made.error();
  api::leases::DeleteRequest end;
  end.set_id(lease);
  end.set_sync(true);
  const auto collected =
      calls.Ask("Leases.Delete", name_space, stubs.leases, &api::leases::Leases::Stub::Delete, end);
  if (!collected) return collected.error();
  return Done{};
}

}  // namespace imagesweep::containerd
