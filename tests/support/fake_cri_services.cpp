#include <grpcpp/grpcpp.h>
#include <runtime/v1/api.grpc.pb.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/fake_cri_node.h"
#include "tests/support/fake_cri_server.h"

namespace imagesweep {

namespace v1 = ::runtime::v1;

namespace {

template <typename Request>
std::string Filter(const Request& request) {
  return request.has_filter() ? "filter" : "";
}

// Sends `all` in messages of `batch` entries each.
template <typename Reply, typename Fakes, typename Add>
std::vector<Reply> InBatches(const Fakes& all, std::size_t batch, Add add) {
  std::vector<Reply> replies;
  for (std::size_t at = 0; at < all.size(); ++at) {
    if (at % std::max<std::size_t>(batch, 1) == 0) replies.emplace_back();
    add(all[at], replies.back());
  }
  return replies;
}

}  // namespace

struct FakeCri::Impl::Images final : v1::ImageService::CallbackService {
  explicit Images(Impl& impl) : impl_(impl) {}

  grpc::ServerUnaryReactor* ListImages(grpc::CallbackServerContext*,
                                       const v1::ListImagesRequest* request,
                                       v1::ListImagesResponse* reply) override {
    return impl_.Answer({"ListImages", Filter(*request), {}, {}}, reply,
                        [](FakeNode& node, v1::ListImagesResponse& out) {
                          for (const auto& image : node.images)
                            fake::Write(image, *out.add_images());
                          return grpc::Status::OK;
                        });
  }

  grpc::ServerWriteReactor<v1::StreamImagesResponse>* StreamImages(
      grpc::CallbackServerContext*, const v1::StreamImagesRequest* request) override {
    return impl_.Stream<v1::StreamImagesResponse>(
        {"StreamImages", Filter(*request), {}, {}}, [](const FakeNode& node) {
          return InBatches<v1::StreamImagesResponse>(
              node.images, node.stream_batch,
              [](const FakeImage& image, auto& out) { fake::Write(image, *out.add_images()); });
        });
  }

  grpc::ServerUnaryReactor* ImageStatus(grpc::CallbackServerContext*,
                                        const v1::ImageStatusRequest* request,
                                        v1::ImageStatusResponse* reply) override {
    const std::string text = request->image().image();
    return impl_.Answer(
        {"ImageStatus", text, request->image().runtime_handler(), {}}, reply,
        [this, text, verbose = request->verbose()](FakeNode& node, v1::ImageStatusResponse& out) {
          const FakeImage* found = fake::Find(node, impl_.flavour, text);
          if (found != nullptr) fake::Write(*found, *out.mutable_image());
          if (found != nullptr && verbose && !found->info.empty())
            (*out.mutable_info())["info"] = found->info;
          return grpc::Status::OK;
        });
  }

  // Its argument is the reference, with " as USERNAME" if there are credentials. Changes nothing.
  grpc::ServerUnaryReactor* PullImage(grpc::CallbackServerContext*,
                                      const v1::PullImageRequest* request,
                                      v1::PullImageResponse* reply) override {
    std::string text = request->image().image();
    if (request->has_auth()) text += " as " + request->auth().username();
    return impl_.Answer({"PullImage", text, {}, {}}, reply,
                        [](FakeNode&, v1::PullImageResponse&) { return grpc::Status::OK; });
  }

  grpc::ServerUnaryReactor* RemoveImage(grpc::CallbackServerContext*,
                                        const v1::RemoveImageRequest* request,
                                        v1::RemoveImageResponse* reply) override {
    const std::string text = request->image().image();
    return impl_.Answer({"RemoveImage", text, request->image().runtime_handler(), {}}, reply,
                        [this, text](FakeNode& node, v1::RemoveImageResponse&) -> grpc::Status {
                          if (node.removed_stay_listed) return grpc::Status::OK;
                          auto status = fake::Remove(node, impl_.flavour, text);
                          if (!node.removal_fails_late) return status;
                          return {grpc::StatusCode::DEADLINE_EXCEEDED, "context deadline exceeded"};
                        });
  }

  grpc::ServerUnaryReactor* ImageFsInfo(grpc::CallbackServerContext*, const v1::ImageFsInfoRequest*,
                                        v1::ImageFsInfoResponse* reply) override {
    return impl_.Answer({"ImageFsInfo", {}, {}, {}}, reply,
                        [](FakeNode& node, v1::ImageFsInfoResponse& out) {
                          for (const auto& path : node.image_filesystems)
                            out.add_image_filesystems()->mutable_fs_id()->set_mountpoint(path);
                          return grpc::Status::OK;
                        });
  }

 private:
  Impl& impl_;
};

struct FakeCri::Impl::Runtime final : v1::RuntimeService::CallbackService {
  explicit Runtime(Impl& impl) : impl_(impl) {}

  grpc::ServerUnaryReactor* Version(grpc::CallbackServerContext*, const v1::VersionRequest*,
                                    v1::VersionResponse* reply) override {
    return impl_.Answer({"Version", {}, {}, {}}, reply,
                        [](FakeNode& node, v1::VersionResponse& out) {
                          out.set_version("0.1.0");
                          out.set_runtime_name(node.runtime_name);
                          out.set_runtime_version(node.runtime_version);
                          out.set_runtime_api_version("v1");
                          return grpc::Status::OK;
                        });
  }

  grpc::ServerUnaryReactor* Status(grpc::CallbackServerContext*, const v1::StatusRequest* request,
                                   v1::StatusResponse* reply) override {
    return impl_.Answer({"Status", {}, {}, {}}, reply,
                        [verbose = request->verbose()](FakeNode& node, v1::StatusResponse& out) {
                          if (verbose && !node.config.empty())
                            (*out.mutable_info())["config"] = node.config;
                          return grpc::Status::OK;
                        });
  }

  grpc::ServerUnaryReactor* ListContainers(grpc::CallbackServerContext*,
                                           const v1::ListContainersRequest* request,
                                           v1::ListContainersResponse* reply) override {
    return impl_.Answer({"ListContainers", Filter(*request), {}, {}}, reply,
                        [](FakeNode& node, v1::ListContainersResponse& out) {
                          for (const auto& container : node.containers)
                            fake::Write(container, *out.add_containers());
                          return grpc::Status::OK;
                        });
  }

  grpc::ServerWriteReactor<v1::StreamContainersResponse>* StreamContainers(
      grpc::CallbackServerContext*, const v1::StreamContainersRequest* request) override {
    return impl_.Stream<v1::StreamContainersResponse>(
        {"StreamContainers", Filter(*request), {}, {}}, [](const FakeNode& node) {
          return InBatches<v1::StreamContainersResponse>(
              node.containers, node.stream_batch, [](const FakeContainer& container, auto& out) {
                fake::Write(container, *out.add_containers());
              });
        });
  }

  grpc::ServerUnaryReactor* ContainerStatus(grpc::CallbackServerContext*,
                                            const v1::ContainerStatusRequest* request,
                                            v1::ContainerStatusResponse* reply) override {
    const std::string id = request->container_id();
    return impl_.Answer({"ContainerStatus", id, {}, {}}, reply,
                        [id](FakeNode& node, v1::ContainerStatusResponse& out) -> grpc::Status {
                          const auto it =
                              std::ranges::find(node.containers, id, &FakeContainer::id);
                          if (it == node.containers.end())
                            return {grpc::StatusCode::NOT_FOUND, "no container"};
                          fake::Write(*it, *out.mutable_status());
                          return grpc::Status::OK;
                        });
  }

  grpc::ServerUnaryReactor* ListPodSandbox(grpc::CallbackServerContext*,
                                           const v1::ListPodSandboxRequest* request,
                                           v1::ListPodSandboxResponse* reply) override {
    return impl_.Answer({"ListPodSandbox", Filter(*request), {}, {}}, reply,
                        [](FakeNode& node, v1::ListPodSandboxResponse& out) {
                          for (const auto& sandbox : node.sandboxes)
                            fake::Write(sandbox, *out.add_items());
                          return grpc::Status::OK;
                        });
  }

  grpc::ServerUnaryReactor* PodSandboxStatus(grpc::CallbackServerContext*,
                                             const v1::PodSandboxStatusRequest* request,
                                             v1::PodSandboxStatusResponse* reply) override {
    const std::string id = request->pod_sandbox_id();
    const bool verbose = request->verbose();
    return impl_.Answer(
        {"PodSandboxStatus", id, {}, {}}, reply,
        [id, verbose](FakeNode& node, v1::PodSandboxStatusResponse& out) -> grpc::Status {
          const auto it = std::ranges::find(node.sandboxes, id, &FakeSandbox::id);
          if (it == node.sandboxes.end()) return {grpc::StatusCode::NOT_FOUND, "no sandbox"};
          if (verbose && !it->info.empty()) (*out.mutable_info())["info"] = it->info;
          return grpc::Status::OK;
        });
  }

 private:
  Impl& impl_;
};

std::unique_ptr<grpc::Service> FakeCri::Impl::NewImageService(Impl& impl) {
  return std::make_unique<Images>(impl);
}

std::unique_ptr<grpc::Service> FakeCri::Impl::NewRuntimeService(Impl& impl) {
  return std::make_unique<Runtime>(impl);
}

}  // namespace imagesweep
