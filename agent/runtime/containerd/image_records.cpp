#include "agent/runtime/containerd/image_records.h"

#include <utility>

#include "agent/runtime/containerd/call.h"
#include "agent/runtime/containerd/delete.h"

namespace imagesweep::containerd {
namespace {

// Deleted records must be restored even during shutdown, which may take a moment.
constexpr Millis kToRestore = std::chrono::seconds(5);
constexpr Millis kUntilCriKnows{2'000}, kLookAgain{20};
constexpr const char* kManaged = "io.cri-containerd.image";

}  // namespace

Result<std::optional<std::string>> ImageRecords::Read(const std::string& name) {
  const Calls calls(options_.timeout, stop_);
  api::images::GetImageRequest request;
  request.set_name(name);
  auto reply =
      calls.In(options_.cri_namespace)
          .UnaryCall("Images.Get", stubs_.images, &api::images::Images::Stub::Get, request);
  if (!reply && reply.error().kind == ErrorKind::kNotFound) return std::optional<std::string>();
  if (!reply) return std::move(reply).error();
  std::string target = reply->image().target().digest();
  read_.insert_or_assign(name, std::move(*reply->mutable_image()));
  return std::optional(std::move(target));
}

Status ImageRecords::Delete(const Record& record) {
  const Calls calls(options_.timeout, stop_);
  auto done = DeleteRecord(calls, stubs_, options_.cri_namespace, record);
  deleted_ = deleted_ || done || MayHaveHappened(done.error().kind);
  return done;
}

Status ImageRecords::Create(const std::string& of, const std::string& name) {
  const auto known = read_.find(of);
  if (known == read_.end())
    return Error{ErrorKind::kInternal, "Images.Create: " + of + " was never read"};
  const Calls calls(kToRestore, {});
  api::images::CreateImageRequest request;
  *request.mutable_image() = known->second;
  request.mutable_image()->set_name(name);
  // Without the label, the CRI treats it as a new image and labels it when it knows it.
  if (of != name) request.mutable_image()->mutable_labels()->erase(kManaged);
  const auto made =
      calls.In(options_.cri_namespace)
          .UnaryCall("Images.Create", stubs_.images, &api::images::Images::Stub::Create, request);
  if (made) return Done{};
  return made.error();
}

void ImageRecords::AwaitCri(const std::string& name, const Clock& clock) {
  const SteadyTime begun = clock.Steady();
  while (clock.Steady() - begun < kUntilCriKnows) {
    const auto target = Read(name);
    if (!target || !*target || read_.at(name).labels().contains(kManaged)) return;
    if (!clock.Sleep(kLookAgain, stop_)) return;
  }
}

}  // namespace imagesweep::containerd
