#include "agent/containerd/name_remover.h"

#include <algorithm>
#include <utility>

#include "agent/containerd/call.h"
#include "agent/containerd/import_names.h"
#include "agent/containerd/stubs.h"
#include "agent/containerd/timestamp.h"

namespace imagesweep::containerd {
namespace {

Error Refused(std::string why) {
  return {ErrorKind::kIncomplete, std::move(why)};
}

bool StandsFor(const api::images::Image& record, const Image& image) {
  return std::ranges::any_of(image.digests, [&](const ImageName& name) {
    return !name.digest().empty() && name.digest() == record.target().digest();
  });
}

// Of the CRI plugin, internal/cri/labels.
bool IsPinned(const api::images::Image& record) {
  const auto label = record.labels().find("io.cri-containerd.pinned");
  return label != record.labels().end() && label->second == "pinned";
}

// By what the list says; nothing is asked.
Status MayBeDropped(const Image& image, const ImageName& name) {
  if (image.digests.empty()) return Refused("the image has no digest of a registry");
  if (name.tag().empty()) return Refused("that name is no tag");
  if (std::ranges::find(image.tags, name) == image.tags.end())
    return Refused("that name is none of the image's tags");
  if (std::ranges::all_of(image.tags, [&](const ImageName& tag) { return tag == name; }))
    return Refused("it is the image's only tag");
  return Done{};
}

// By what containerd says of the name now.
Status MayBeDropped(const Image& image, const api::images::Image& record, SystemTime not_since) {
  if (!StandsFor(record, image)) return Refused("the name stands for another image by now");
  if (IsPinned(record)) return Refused("containerd's record of that name is pinned");
  const SystemTime written = std::max(TimeOf(record.created_at()), TimeOf(record.updated_at()));
  if (written <= SystemTime{}) return Refused("containerd does not say when the name was written");
  if (written > not_since)
    return Refused("the name was written at " + FormatTime(written) + ", later than " +
                   FormatTime(not_since));
  return Done{};
}

Status AnotherTagIsThere(const Calls& calls, api::images::Images::Stub& stub,
                         const std::string& name_space, const Image& image, const ImageName& name) {
  for (const ImageName& tag : image.tags) {
    if (tag == name) continue;
    const auto record = FindName(calls, stub, name_space, tag.text());
    if (record && StandsFor(*record, image)) return Done{};
    if (!record && record.error().kind != ErrorKind::kNotFound) return record.error();
  }
  return Refused("containerd has no other tag of the image by now");
}

// Of `ctr` and `nerdctl`, which the last look does not see, and which know their image by this name
// alone.  The CRI's own know it by its id.
Status NoOtherContainer(const Calls& calls, api::containers::Containers::Stub& stub,
                        const std::string& name_space, const ImageName& name) {
  std::string user;
  const auto status = calls.AskStream("Containers.ListStream", name_space, stub,
                                      &api::containers::Containers::Stub::ListStream,
                                      api::containers::ListContainersRequest(),
                                      [&](const api::containers::ListContainerMessage& message) {
                                        const auto& container = message.container();
                                        if (ImageName::Parse(container.image()) == name &&
                                            !container.labels().contains("io.cri-containerd.kind"))
                                          user = container.id();
                                      });
  if (!status) return status.error();
  if (!user.empty()) return Refused("containerd's container " + user + " uses that name");
  return Done{};
}

}  // namespace

RecordRemover::RecordRemover(const std::shared_ptr<grpc::Channel>& channel, Options options)
    : stubs_(std::make_unique<Collector::Stubs>(channel)), options_(std::move(options)) {}

RecordRemover::~RecordRemover() = default;

Status RecordRemover::Drop(const Image& image, const ImageName& name, SystemTime not_since,
                           const std::stop_token& stop) {
  if (auto may = MayBeDropped(image, name); !may) return may;
  const Calls calls(options_.timeout, stop);
  const std::string& space = options_.cri_namespace;
  if (auto other = AnotherTagIsThere(calls, stubs_->images, space, image, name); !other)
    return other;
  if (auto free = NoOtherContainer(calls, stubs_->containers, space, name); !free) return free;
  // Last of all: before 2.0 nobody looks again between this and the deletion.
  const auto record = FindName(calls, stubs_->images, space, name.text());
  if (!record) {
    if (record.error().kind != ErrorKind::kNotFound) return record.error();
    return Refused("containerd has no record of that name");
  }
  if (auto may = MayBeDropped(image, *record, not_since); !may) return may;
  api::images::DeleteImageRequest request;
  request.set_name(name.text());
  request.mutable_target()->set_digest(record->target().digest());
  const auto reply = calls.Ask("Images.Delete", space, stubs_->images,
                               &api::images::Images::Stub::Delete, request);
  if (reply) return Done{};
  if (reply.error().kind != ErrorKind::kNotFound) return reply.error();
  return Refused("the name went, or stands for another image, while it was to be dropped");
}

}  // namespace imagesweep::containerd
