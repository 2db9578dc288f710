#include "tests/unit/runtime/containerd/fake_containerd.h"

namespace imagesweep::containerd {
namespace {

using Context = grpc::ServerContext;

std::string SpaceOf(const Context& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("containerd-namespace");
  return found == metadata.end() ? std::string()
                                 : std::string(found->second.data(), found->second.size());
}

template <typename Labels>
void Fill(google::protobuf::Map<std::string, std::string>& out, const Labels& labels) {
  for (const auto& [key, value] : labels) out[key] = value;
}

void Set(::containerd::types::Timestamp& out, std::int64_t seconds) {
  constexpr std::int64_t kYearOne = -62135596800;
  out.set_seconds(seconds == 0 ? kYearOne : seconds);
}

}  // namespace

struct FakeContainerd::Services {
  explicit Services(FakeContainerd& all)
      : version(all),
        namespaces(all),
        introspection(all),
        images(all),
        content(all),
        snapshots(all),
        containers(all),
        events(all),
        leases(all) {}

  struct Part {
    explicit Part(FakeContainerd& all) : fake(all) {}
    // Counts the call, and returns its result.
    grpc::Status Ask(const std::string& method) {
      {
        const std::scoped_lock lock(fake.asked_mu_);
        ++fake.asked[method];
      }
      if (fake.on_call) fake.on_call(method);
      if (method == fake.hangs) fake.let_go.acquire();
      const auto fault = fake.faults.find(method);
      return fault == fake.faults.end() ? grpc::Status::OK : fault->second;
    }
    grpc::Status AskFor(const std::string& method, const std::string& object) {
      if (auto status = Ask(method); !status.ok()) return status;
      return fake.on_object ? fake.on_object(method, object) : grpc::Status::OK;
    }
    FakeContainerd& fake;
  };

  struct TheVersion final : api::version::Version::Service, Part {
    using Part::Part;
    grpc::Status Version(Context*, const ::containerd::types::Nothing*,
                         api::version::VersionResponse* reply) override {
      reply->set_version("v2.1.9");
      return Ask("Version");
    }
  } version;

  struct Namespaces final : api::namespaces::Namespaces::Service, Part {
    using Part::Part;
    grpc::Status List(Context*, const api::namespaces::ListNamespacesRequest*,
                      api::namespaces::ListNamespacesResponse* reply) override {
      for (const auto& [name, space] : fake.namespaces) reply->add_namespaces()->set_name(name);
      return Ask("Namespaces.List");
    }
  } namespaces;

  struct Introspection final : api::introspection::Introspection::Service, Part {
    using Part::Part;
    grpc::Status Plugins(Context*, const api::introspection::PluginsRequest*,
                         api::introspection::PluginsResponse* reply) override {
      const auto add = [&](const char* type, const char* id) {
        auto& plugin = *reply->add_plugins();
        plugin.set_type(type);
        plugin.set_id(id);
        (*plugin.mutable_exports())["root"] = std::string("/var/lib/containerd/") + id;
        return &plugin;
      };
      add("io.containerd.content.v1", "content");
      add("io.containerd.snapshotter.v1", "overlayfs");
      add("io.containerd.snapshotter.v1", "btrfs")->mutable_init_err()->set_message("no btrfs");
      return Ask("Plugins");
    }
  } introspection;

  struct Images final : api::images::Images::Service, Part {
    using Part::Part;
    grpc::Status List(Context* context, const api::images::ListImagesRequest* request,
                      api::images::ListImagesResponse* reply) override {
      const std::string filter = request->filters().empty() ? "" : request->filters(0);
      for (const auto& [name, digest] : fake.namespaces[SpaceOf(*context)].images) {
        if (!filter.empty() && filter != "target.digest==\"" + digest + "\"") continue;
        auto& image = *reply->add_images();
        image.set_name(name);
        image.mutable_target()->set_digest(digest);
      }
      return Ask("Images.List");
    }
    grpc::Status Get(Context* context, const api::images::GetImageRequest* request,
                     api::images::GetImageResponse* reply) override {
      if (auto status = Ask("Images.Get"); !status.ok()) return status;
      const auto& images = fake.namespaces[SpaceOf(*context)].images;
      const auto it = images.find(request->name());
      if (it == images.end()) return {grpc::StatusCode::NOT_FOUND, "not found"};
      reply->mutable_image()->set_name(it->first);
      reply->mutable_image()->mutable_target()->set_digest(it->second);
      const Details& details = fake.details[it->first];
      Fill(*reply->mutable_image()->mutable_labels(), details.labels);
      Set(*reply->mutable_image()->mutable_created_at(), details.created);
      Set(*reply->mutable_image()->mutable_updated_at(), details.updated);
      return grpc::Status::OK;
    }
    grpc::Status Create(Context* context, const api::images::CreateImageRequest* request,
                        api::images::CreateImageResponse*) override {
      if (auto status = Ask("Images.Create"); !status.ok()) return status;
      const auto& image = request->image();
      if (!fake.namespaces[SpaceOf(*context)]
               .images.emplace(image.name(), image.target().digest())
               .second)
        return {grpc::StatusCode::ALREADY_EXISTS, "already exists"};
      fake.changed.push_back("create " + image.name());
      return grpc::Status::OK;
    }
    grpc::Status Delete(Context* context, const api::images::DeleteImageRequest* request,
                        ::containerd::types::Nothing*) override {
      if (auto status = Ask("Images.Delete"); !status.ok()) return status;
      auto& images = fake.namespaces[SpaceOf(*context)].images;
      const auto it = images.find(request->name());
      if (it == images.end() || (fake.checks_target && request->target().digest() != it->second))
        return {grpc::StatusCode::NOT_FOUND, "not found"};
      images.erase(it);
      fake.changed.push_back("delete " + request->name());
      if (request->sync()) fake.changed.push_back("collect");
      return grpc::Status::OK;
    }
  } images;

  struct Content final : api::content::Content::Service, Part {
    using Part::Part;
    grpc::Status List(Context* context, const api::content::ListContentRequest*,
                      grpc::ServerWriter<api::content::ListContentResponse>* out) override {
      const auto status = Ask("Content.List");
      const auto& blobs = fake.namespaces[SpaceOf(*context)].blobs;
      std::size_t left = status.ok() ? blobs.size() : blobs.size() / 2;
      for (const auto& [digest, blob] : blobs) {
        if (left-- == 0) break;
        api::content::ListContentResponse reply;
        auto& info = *reply.add_info();
        info.set_digest(digest);
        info.set_size(static_cast<std::int64_t>(blob.data.size()));
        Fill(*info.mutable_labels(), blob.labels);
        out->Write(reply);
      }
      return status;
    }
    grpc::Status ListStatuses(Context* context, const api::content::ListStatusesRequest*,
                              api::content::ListStatusesResponse* reply) override {
      for (const auto& [ref, at] : fake.namespaces[SpaceOf(*context)].downloads) {
        auto& download = *reply->add_statuses();
        download.set_ref(ref);
        download.set_offset(fake.namespaces[SpaceOf(*context)].offsets[ref]);
        download.mutable_updated_at()->set_seconds(
            std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count());
      }
      return Ask("Content.ListStatuses");
    }
    grpc::Status Read(Context* context, const api::content::ReadContentRequest* request,
                      grpc::ServerWriter<api::content::ReadContentResponse>* out) override {
      if (auto status = AskFor("Content.Read", request->digest()); !status.ok()) return status;
      const std::string& data = fake.namespaces[SpaceOf(*context)].blobs.at(request->digest()).data;
      for (std::size_t at = 0; at < data.size(); at += 7) {
        api::content::ReadContentResponse reply;
        reply.set_offset(static_cast<std::int64_t>(at));
        reply.set_data(data.substr(at, 7));
        out->Write(reply);
      }
      return grpc::Status::OK;
    }
  } content;

  struct Snapshots final : api::snapshots::Snapshots::Service, Part {
    using Part::Part;
    grpc::Status List(Context* context, const api::snapshots::ListSnapshotsRequest* request,
                      grpc::ServerWriter<api::snapshots::ListSnapshotsResponse>* out) override {
      if (request->snapshotter() != "overlayfs")
        return {grpc::StatusCode::NOT_FOUND, "snapshotter not loaded"};
      api::snapshots::ListSnapshotsResponse reply;
      for (const auto& [name, snapshot] : fake.namespaces[SpaceOf(*context)].snapshots) {
        auto& info = *reply.add_info();
        info.set_name(name);
        info.set_parent(snapshot.parent);
        info.set_kind(snapshot.kind);
        info.mutable_created_at()->set_seconds(snapshot.created);
        Fill(*info.mutable_labels(), snapshot.labels);
      }
      out->Write(reply);
      return Ask("Snapshots.List");
    }
    grpc::Status Stat(Context* context, const api::snapshots::StatSnapshotRequest* request,
                      api::snapshots::StatSnapshotResponse* reply) override {
      const auto& snapshots = fake.namespaces[SpaceOf(*context)].snapshots;
      const auto own = snapshots.find(request->key());
      if (own == snapshots.end()) return {grpc::StatusCode::NOT_FOUND, "snapshot not found"};
      reply->mutable_info()->set_parent(own->second.parent);
      return Ask("Snapshots.Stat");
    }
    grpc::Status Usage(Context* context, const api::snapshots::UsageRequest* request,
                       api::snapshots::UsageResponse* reply) override {
      reply->set_size(fake.namespaces[SpaceOf(*context)].snapshots.at(request->key()).bytes);
      reply->set_inodes(1);
      return AskFor("Snapshots.Usage", request->key());
    }
  } snapshots;

  struct Containers final : api::containers::Containers::Service, Part {
    using Part::Part;
    grpc::Status ListStream(
        Context* context, const api::containers::ListContainersRequest*,
        grpc::ServerWriter<api::containers::ListContainerMessage>* out) override {
      if (const auto space = fake.namespaces.find(SpaceOf(*context));
          space != fake.namespaces.end()) {
        for (const auto& [id, image] : space->second.containers) {
          api::containers::ListContainerMessage reply;
          reply.mutable_container()->set_id(id);
          reply.mutable_container()->set_image(image);
          const auto& snapshots = space->second.container_snapshots;
          if (const auto own = snapshots.find(id); own != snapshots.end()) {
            reply.mutable_container()->set_snapshotter("overlayfs");
            reply.mutable_container()->set_snapshot_key(own->second);
          }
          out->Write(reply);
        }
      }
      return Ask("Containers.ListStream");
    }
  } containers;

  struct Events final : api::events::Events::Service, Part {
    using Part::Part;
    grpc::Status Subscribe(Context* context, const api::events::SubscribeRequest* request,
                           grpc::ServerWriter<api::events::Envelope>* out) override {
      Feed& feed = fake.feed_;
      std::unique_lock lock(feed.mu);
      ++feed.subscriptions;
      feed.filters = {request->filters().begin(), request->filters().end()};
      feed.changed.notify_all();
      // Not counted in `asked`, because others are called at the same time.
      const auto fault = fake.faults.find("Events.Subscribe");
      if (fault != fake.faults.end()) return fault->second;
      while (!context->IsCancelled()) {
        if (feed.queue.empty()) {
          feed.changed.wait_for(lock, Millis(5));
          continue;
        }
        const auto next = std::move(feed.queue.front());
        feed.queue.pop_front();
        if (const auto* status = std::get_if<grpc::Status>(&next)) return *status;
        out->Write(std::get<api::events::Envelope>(next));
      }
      return grpc::Status::CANCELLED;
    }
  } events;

  struct Leases final : api::leases::Leases::Service, Part {
    using Part::Part;
    grpc::Status List(Context* context, const api::leases::ListRequest*,
                      api::leases::ListResponse* reply) override {
      for (const auto& [id, blobs] : fake.namespaces[SpaceOf(*context)].leases)
        reply->add_leases()->set_id(id);
      return Ask("Leases.List");
    }
    grpc::Status ListResources(Context* context, const api::leases::ListResourcesRequest* request,
                               api::leases::ListResourcesResponse* reply) override {
      for (const auto& digest : fake.namespaces[SpaceOf(*context)].leases.at(request->id())) {
        auto& resource = *reply->add_resources();
        resource.set_id(digest);
        resource.set_type("content");
      }
      return Ask("Leases.ListResources");
    }
    grpc::Status Create(Context* context, const api::leases::CreateRequest* request,
                        api::leases::CreateResponse*) override {
      if (auto status = Ask("Leases.Create"); !status.ok()) return status;
      fake.namespaces[SpaceOf(*context)].leases[request->id()] = {};
      return grpc::Status::OK;
    }
    grpc::Status Delete(Context* context, const api::leases::DeleteRequest* request,
                        ::containerd::types::Nothing*) override {
      if (auto status = Ask("Leases.Delete"); !status.ok()) return status;
      fake.namespaces[SpaceOf(*context)].leases.erase(request->id());
      if (request->sync()) fake.changed.push_back("collect");
      return grpc::Status::OK;
    }
  } leases;
};

FakeContainerd::FakeContainerd(bool with_services) : services_(std::make_unique<Services>(*this)) {
  grpc::ServerBuilder builder;
  if (with_services)
    for (grpc::Service* service : {static_cast<grpc::Service*>(&services_->version),
                                   static_cast<grpc::Service*>(&services_->namespaces),
                                   static_cast<grpc::Service*>(&services_->introspection),
                                   static_cast<grpc::Service*>(&services_->images),
                                   static_cast<grpc::Service*>(&services_->content),
                                   static_cast<grpc::Service*>(&services_->snapshots),
                                   static_cast<grpc::Service*>(&services_->events),
                                   static_cast<grpc::Service*>(&services_->leases)})
      builder.RegisterService(service);
  // The content of every runtime in this test.
  builder.RegisterService(&services_->containers);
  server_ = builder.BuildAndStart();
}

FakeContainerd::~FakeContainerd() {
  server_->Shutdown();
}

void FakeContainerd::Emit(const std::string& name_space, const std::string& topic,
                          const std::string& payload) {
  api::events::Envelope envelope;
  envelope.set_namespace_(name_space);
  envelope.set_topic(topic);
  envelope.mutable_event()->set_value(payload);
  const std::scoped_lock lock(feed_.mu);
  feed_.queue.emplace_back(std::move(envelope));
  feed_.changed.notify_all();
}

void FakeContainerd::EmitCreated(const std::string& name_space, const std::string& id,
                                 const std::string& image) {
  api::events::ContainerCreate created;
  created.set_id(id);
  created.set_image(image);
  Emit(name_space, "/containers/create", created.SerializeAsString());
}

void FakeContainerd::EndSubscription(const grpc::Status& status) {
  const std::scoped_lock lock(feed_.mu);
  feed_.queue.emplace_back(status);
  feed_.changed.notify_all();
}

bool FakeContainerd::AwaitSubscription(int number) {
  std::unique_lock lock(feed_.mu);
  return feed_.changed.wait_for(lock, std::chrono::seconds(10),
                                [&] { return feed_.subscriptions >= number; });
}

std::vector<std::string> FakeContainerd::event_filters() {
  const std::scoped_lock lock(feed_.mu);
  return feed_.filters;
}

}  // namespace imagesweep::containerd
