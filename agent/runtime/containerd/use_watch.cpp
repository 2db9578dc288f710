#include "agent/runtime/containerd/use_watch.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "agent/model/recent_use.h"
#include "agent/runtime/containerd/call.h"
#include "agent/runtime/containerd/stubs.h"

namespace imagesweep::containerd {
namespace {

constexpr const char* kCreate = "/containers/create";
constexpr const char* kImageCreate = "/images/create";
constexpr const char* kImageUpdate = "/images/update";
constexpr std::string_view kIdRecord = "sha256:";  // the CRI's own record of an image ID
// As the attempts of the channel to connect.
constexpr Millis kFirstWait{100};
constexpr Millis kLongestWait = std::chrono::seconds(3);
// A refused subscription ends much sooner.
constexpr Millis kWorks = std::chrono::seconds(10);

}  // namespace

struct UseWatch::Stubs {
  explicit Stubs(const std::shared_ptr<grpc::Channel>& channel)
      : containers(channel), images(channel), events(channel) {}
  api::containers::Containers::Stub containers;
  api::images::Images::Stub images;
  api::events::Events::Stub events;
};

UseWatch::UseWatch(const std::shared_ptr<grpc::Channel>& channel, const Clock& clock,
                   Options options)
    : clock_(clock),
      options_(std::move(options)),
      stubs_(std::make_unique<Stubs>(channel)),
      backoff_(kFirstWait, kLongestWait, options_.seed),
      memory_(clock, options_.max_names) {}

UseWatch::~UseWatch() = default;

void UseWatch::Run(const std::stop_token& stop) {
  do {
    const Status ended = Listen(stop);
    if (stop.stop_requested()) return;
    if (!ended && ended.error().kind == ErrorKind::kInvalid && !worked_) {
      memory_.Clear();  // nothing is lost if there are no events
      return;
    }
    memory_.SetDisconnected(true);
    Changed();
    if (!std::exchange(told_, true) && options_.hooks.lost)
      options_.hooks.lost(ended
                              ? Error{ErrorKind::kUnavailable, "Events.Subscribe: the stream ended"}
                              : ended.error());
  } while (clock_.Sleep(backoff_.Next(), stop));
}

// containerd does not report when a subscription is made. One that lasts was made.
Status UseWatch::Listen(const std::stop_token& stop) {
  const SteadyTime began = clock_.Steady();
  bool worked = false;
  Status ended = ReadEvents(stop, worked);
  if (worked || clock_.Steady() - began >= kWorks) {
    backoff_.Reset();
    worked_ = true;
    told_ = false;
  }
  return ended;
}

// One subscription, from beginning to end. The containers are listed only after the request, so
// that events report all later ones.
Status UseWatch::ReadEvents(const std::stop_token& stop, bool& any) {
  api::events::SubscribeRequest request;
  for (const std::string topic : {kCreate, kImageCreate, kImageUpdate})
    request.add_filters("topic==\"" + topic + "\",namespace==\"" + options_.cri_namespace + "\"");
  grpc::ClientContext context;  // no deadline: it may be silent for days
  const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
  const auto stream = stubs_->events.Subscribe(&context, request);
  Status remembered = RememberAll(stop);
  if (remembered) {
    memory_.SetDisconnected(false);
    Changed();
    if (options_.hooks.subscribed) options_.hooks.subscribed();
  } else {
    context.TryCancel();
  }
  for (api::events::Envelope envelope; stream->Read(&envelope); any = true) {
    if (envelope.namespace_() != options_.cri_namespace) continue;
    if (!RememberEvent(envelope.topic(), envelope.event().value(), stop)) {
      // After a lost event, a list shows the current uses again.
      remembered = RememberAll(stop);
      if (remembered)
        memory_.SetDisconnected(false);
      else
        context.TryCancel();
    }
    Changed();
  }
  const grpc::Status ended = stream->Finish();
  if (!remembered) return remembered;
  if (ended.ok()) return Done{};
  return Calls(Millis::zero(), stop).Explain("Events.Subscribe", ended);
}

// False if the event was lost.
bool UseWatch::RememberEvent(const std::string& topic, const std::string& value,
                             const std::stop_token& stop) {
  const bool remembered = topic == kCreate ? RememberCreate(value, stop)
                          : topic == kImageCreate || topic == kImageUpdate
                              ? RememberImage(topic, value, stop)
                              : true;
  if (!remembered) memory_.SetDisconnected(true);
  return remembered;
}

bool UseWatch::RememberCreate(const std::string& value, const std::stop_token& stop) {
  api::events::ContainerCreate created;
  if (!created.ParseFromString(value)) return false;
  if (created.image().empty()) return true;
  const auto ids = IdsOf(created.image(), stop);
  if (!ids || ids->empty()) return false;
  return std::ranges::all_of(*ids,
                             [&](const auto& id) { return memory_.Remember(id, created.id()); }) &&
         memory_.Remember(created.image(), created.id());
}

bool UseWatch::RememberImage(const std::string& topic, const std::string& value,
                             const std::stop_token& stop) {
  api::events::ImageCreate changed;
  if (!changed.ParseFromString(value)) return false;
  // The CRI labels its own records a second time.
  if (changed.name().starts_with(kIdRecord) && topic == kImageUpdate) return true;
  const auto ids = IdsOf(changed.name(), stop);
  if (!ids) return ids.error().kind == ErrorKind::kNotFound;  // the record is already gone
  return memory_.Remember(std::string(kCameAgain) + changed.name(), "") &&
         std::ranges::all_of(*ids, [&](const std::string& id) {
           return memory_.Remember(std::string(kCameAgain) + id, "");
         });
}

// The CRI records each image also by its ID, with the same target as its names.
Result<std::vector<std::string>> UseWatch::IdsOf(const std::string& image,
                                                 const std::stop_token& stop) const {
  const Calls calls(options_.list_timeout, stop);
  api::images::GetImageRequest by_name;
  by_name.set_name(image);
  const auto named =
      calls.In(options_.cri_namespace)
          .UnaryCall("Images.Get", stubs_->images, &api::images::Images::Stub::Get, by_name);
  if (!named) return named.error();
  api::images::ListImagesRequest by_target;
  by_target.add_filters("target.digest==\"" + named->image().target().digest() + "\"");
  const auto listed =
      calls.In(options_.cri_namespace)
          .UnaryCall("Images.List", stubs_->images, &api::images::Images::Stub::List, by_target);
  if (!listed) return listed.error();
  std::vector<std::string> ids;
  for (const api::images::Image& record : listed->images())
    if (record.name().starts_with(kIdRecord) || record.name().find('@') != std::string::npos)
      ids.push_back(record.name());
  return ids;
}

Status UseWatch::RememberAll(const std::stop_token& stop) {
  const Calls calls(options_.list_timeout, stop);
  bool all = true;
  std::map<std::string, std::string> containers;  // by the name of their image
  Status listed = calls.In(options_.cri_namespace)
                      .StreamingCall("Containers.ListStream", stubs_->containers,
                                     &api::containers::Containers::Stub::ListStream,
                                     api::containers::ListContainersRequest(),
                                     [&](const api::containers::ListContainerMessage& message) {
                                       const auto& container = message.container();
                                       containers.emplace(container.image(), container.id());
                                       if (!memory_.Remember(container.image(), container.id()))
                                         all = false;
                                     });
  if (!listed) return listed;
  for (const auto& [image, container] : containers) {
    if (image.empty()) continue;
    const auto ids = IdsOf(image, stop);
    // If there is no such record any more, the snapshot of the container shows its image while it
    // exists.
    if (!ids && ids.error().kind != ErrorKind::kNotFound) return ids.error();
    for (const std::string& id : ids ? *ids : std::vector<std::string>())
      if (!memory_.Remember(id, container)) all = false;
  }
  if (all) return listed;
  return Error{ErrorKind::kIncomplete,
               "Containers.ListStream: the containers use more images than " +
                   std::to_string(options_.max_names)};
}

void UseWatch::Changed() const {
  if (options_.hooks.changed) options_.hooks.changed();
}

UseWatch::Uses UseWatch::Drain() {
  return memory_.Drain();
}

}  // namespace imagesweep::containerd
