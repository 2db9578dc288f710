#include "tests/support/fake_cri_node.h"

#include <algorithm>
#include <vector>

#include "agent/model/image_index.h"

namespace imagesweep {
namespace {

namespace v1 = ::runtime::v1;

void WriteSpec(const FakeContainer& container, v1::ImageSpec& out) {
  out.set_image(container.image);
  out.set_user_specified_image(container.user_specified_image);
  out.set_image_ref(container.spec_image_ref);
}

template <typename Object>
void WriteLabels(const PodKey& pod, Object& out) {
  if (pod.uid.empty()) return;
  auto& labels = *out.mutable_labels();
  labels["io.kubernetes.pod.namespace"] = pod.pod_namespace;
  labels["io.kubernetes.pod.name"] = pod.name;
  labels["io.kubernetes.pod.uid"] = pod.uid;
}

v1::ContainerState StateOf(FakeContainer::State state) {
  switch (state) {
    case FakeContainer::State::kCreated:
      return v1::CONTAINER_CREATED;
    case FakeContainer::State::kRunning:
      return v1::CONTAINER_RUNNING;
    case FakeContainer::State::kExited:
      return v1::CONTAINER_EXITED;
    case FakeContainer::State::kUnknown:
      return v1::CONTAINER_UNKNOWN;
  }
  return v1::CONTAINER_UNKNOWN;
}

bool IsContainerd(Flavour flavour) {
  return flavour == Flavour::kContainerd22 || flavour == Flavour::kContainerd23;
}

std::vector<ImagePos> Resolve(const FakeNode& node, const std::string& text) {
  std::vector<Image> images;
  for (const FakeImage& fake : node.images) {
    Image image;
    image.id = ImageId(fake.id);
    for (const auto& tag : fake.tags) image.tags.push_back(ImageName::Parse(tag));
    for (const auto& digest : fake.digests) image.digests.push_back(ImageName::Parse(digest));
    images.push_back(std::move(image));
  }
  return ImageIndex(images).Resolve(text);
}

bool Used(const FakeNode& node, const std::string& id) {
  return std::ranges::any_of(node.containers, [&](const FakeContainer& container) {
    std::vector<std::string> texts = {container.image_ref, container.image_id, container.image};
    for (const FakeVolume& volume : container.volumes) texts.push_back(volume.image_ref);
    return std::ranges::any_of(texts, [&](const std::string& text) {
      const auto at = Resolve(node, text);
      return !text.empty() && at.size() == 1 && At(node.images, at.front()).id == id;
    });
  });
}

}  // namespace

FakeImage FakeImage::From(const Image& image) {
  FakeImage fake{image.id.text(), {}, {}, image.size_bytes, image.pinned, image.runtime_handler};
  for (const ImageName& tag : image.tags) fake.tags.push_back(tag.text());
  for (const ImageName& digest : image.digests) fake.digests.push_back(digest.text());
  return fake;
}

namespace fake {

void Write(const FakeImage& image, v1::Image& out) {
  out.set_id(image.id);
  for (const std::string& tag : image.tags) out.add_repo_tags(tag);
  for (const std::string& digest : image.digests) out.add_repo_digests(digest);
  out.set_size(image.size);
  out.set_pinned(image.pinned);
  if (!image.runtime_handler.empty())
    out.mutable_spec()->set_runtime_handler(image.runtime_handler);
}

void Write(const FakeContainer& container, v1::Container& out) {
  out.set_id(container.id);
  out.set_pod_sandbox_id(container.sandbox);
  out.mutable_metadata()->set_name(container.name);
  WriteSpec(container, *out.mutable_image());
  out.set_image_ref(container.image_ref);
  out.set_image_id(container.image_id);
  out.set_state(StateOf(container.state));
  WriteLabels(container.pod, out);
  if (!container.pod.uid.empty())
    (*out.mutable_labels())["io.kubernetes.container.name"] = container.name;
}

void Write(const FakeContainer& container, v1::ContainerStatus& out) {
  out.set_id(container.id);
  out.set_state(StateOf(container.state));
  WriteSpec(container, *out.mutable_image());
  out.set_image_ref(container.status_image_ref);
  out.set_image_id(container.image_id);
  for (const FakeVolume& volume : container.volumes) {
    v1::Mount& mount = *out.add_mounts();
    mount.set_container_path(volume.mount_path);
    mount.mutable_image()->set_image(volume.image);
    mount.mutable_image()->set_user_specified_image(volume.user_specified_image);
    mount.mutable_image()->set_image_ref(volume.image_ref);
  }
  out.add_mounts()->set_container_path("/etc/hosts");  // every container also has ordinary mounts
}

void Write(const FakeSandbox& sandbox, v1::PodSandbox& out) {
  out.set_id(sandbox.id);
  out.set_state(sandbox.ready ? v1::SANDBOX_READY : v1::SANDBOX_NOTREADY);
  out.mutable_metadata()->set_namespace_(sandbox.pod.pod_namespace);
  out.mutable_metadata()->set_name(sandbox.pod.name);
  out.mutable_metadata()->set_uid(sandbox.pod.uid);
  WriteLabels(sandbox.pod, out);
}

const FakeImage* Find(const FakeNode& node, Flavour flavour, const std::string& text) {
  if (text.empty())
    return IsContainerd(flavour) && node.images.size() == 1 ? &node.images.front() : nullptr;
  const auto exact = std::ranges::find(node.images, text, &FakeImage::id);
  if (exact != node.images.end()) return &*exact;
  const auto at = Resolve(node, text);
  return at.empty() ? nullptr : &At(node.images, at.front());
}

FakeContainer Describe(const FakeNode& node, Flavour flavour, const std::string& image) {
  FakeContainer container;
  container.image = image;
  const FakeImage* found = Find(node, flavour, image);
  if (found == nullptr) {
    container.image_ref = image;
    return container;
  }
  const std::string digest = found->digests.empty() ? found->id : found->digests.front();
  switch (flavour) {
    case Flavour::kContainerd23:
      container.image_id = found->id;
      [[fallthrough]];
    case Flavour::kContainerd22:  // the kubelet passes the id that the pull returned
      container.image = found->id;
      container.user_specified_image = image;
      container.image_ref = found->id;
      container.status_image_ref = digest;
      break;
    case Flavour::kCrio130:
      container.image_id = found->id;
      [[fallthrough]];
    case Flavour::kCrio129:
      container.image_ref = digest;
      container.status_image_ref = digest;
      break;
    case Flavour::kDockerd:
      container.image_ref = found->id;
      container.status_image_ref =
          (found->digests.empty() ? "docker://" : "docker-pullable://") + digest;
      break;
  }
  return container;
}

grpc::Status Remove(FakeNode& node, Flavour flavour, const std::string& text) {
  const FakeImage* found = Find(node, flavour, text);
  if (found == nullptr) {
    if (!text.empty()) return grpc::Status::OK;  // all of them are idempotent
    return {grpc::StatusCode::UNKNOWN, "no image specified"};
  }
  const std::string id = found->id;
  const auto erase = [&] {
    std::erase_if(node.images, [&](const FakeImage& image) { return image.id == id; });
    return grpc::Status::OK;
  };
  if (IsContainerd(flavour)) return erase();
  if (flavour == Flavour::kDockerd) {
    if (text != id) return grpc::Status::OK;
    if (!Used(node, id)) return erase();
    for (FakeImage& image : node.images)
      if (image.id == id) image.tags.clear();
    return {grpc::StatusCode::UNKNOWN,
            "Error response from daemon: conflict: unable to delete 12ab (cannot be forced) - "
            "image is being used by running container 3f0a"};
  }
  if (Used(node, id))
    return {grpc::StatusCode::UNKNOWN, "cannot delete image: image used by a container"};
  for (FakeImage& image : node.images) {
    if (image.id != id || std::erase(image.tags, text) == 0) continue;
    if (!image.tags.empty()) return grpc::Status::OK;
  }
  return erase();
}

}  // namespace fake
}  // namespace imagesweep
