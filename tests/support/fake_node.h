#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/model/ports.h"
#include "tests/support/fake_clock.h"
#include "tests/support/images.h"

namespace imagesweep {

// A small working node behind the ports: pods, containers, and images as plain data. With hooks, a
// test changes the node, or lets a call fail, at an exact point.
class FakeNode final : public RuntimeReader,
                       public ImageRemover,
                       public PodReader,
                       public Filesystem {
 public:
  explicit FakeNode(const FakeClock& clock) : clock_(&clock) {
    AddPod("kube-system", "proxy", "registry.k8s.io/kube-proxy:1");
    images.push_back(Img("kube-proxy", {"registry.k8s.io/kube-proxy:1"}));
    use.sandbox_images = {"registry.k8s.io/pause:3.6"};
  }

  std::vector<Image> images;
  RuntimeUse use;
  PodEvidence pods;
  RuntimeIdentity identity{"containerd", "1.6.20", "unix:///run/c.sock", 7};
  Result<DiskUsage> disk = DiskUsage{"/var", 1000, 900, 100, 100};

  std::vector<std::string> mountpoints = {"/var"};  // of image filesystems
  std::map<std::string, Result<DiskUsage>>
      other_disks;  // by mount point; `disk` applies to all others

  std::vector<std::string> removed;  // ids, in order
  std::vector<std::string> calls;    // names of the calls, in order
  std::vector<Millis> pod_ages;      // the maximum age of each pod list
  // Called at the start of each call with its name. An error fails the call.
  std::function<std::optional<Error>(const std::string& call)> on_call;
  bool lists_what_it_removed = false;  // returns success and does nothing
  std::size_t batch = 1;               // images in one batch of removals
  std::string spares;                  // an ID that the remover does not remove
  // The result of StillHolds.
  std::function<bool(const std::vector<Image>&)> holds = [](const auto&) { return true; };
  bool watches_pods = true;
  std::string hides_pod;  // a pod (by name) that the API does not list

  // A pod with one running container, known to the API and to the runtime.
  void AddPod(const std::string& pod_namespace, const std::string& name, const std::string& image) {
    const PodKey key{pod_namespace, name, "uid-" + name};
    pods.pods.push_back(key);
    pods.references.push_back({image, {}, {ImageUserKind::kPod, pod_namespace, name, "main"}});
    use.references.push_back({image, {}, {ImageUserKind::kContainer, pod_namespace, name, "main"}});
    use.ready_sandboxes.push_back(key);
    use.container_pods.push_back(key);
    ++use.containers;
  }
  void RemovePod(const std::string& name) {
    const auto is = [&](const auto& pod) { return pod.name == name; };
    std::erase_if(pods.pods, is);
    std::erase_if(use.ready_sandboxes, is);
    std::erase_if(use.container_pods, is);
    std::erase_if(pods.references, [&](const auto& r) { return r.by.pod == name; });
    use.containers -=
        std::erase_if(use.references, [&](const auto& r) { return r.by.pod == name; });
  }

  Result<RuntimeIdentity> Identity(const std::stop_token&) override {
    if (auto error = Enter("Identity")) return *std::move(error);
    return identity;
  }
  Result<std::vector<Image>> ListImages(const std::stop_token&) override {
    if (auto error = Enter("ListImages")) return *std::move(error);
    return images;
  }
  Result<std::optional<Image>> ImageStatus(const ImageId& id, const std::stop_token&) override {
    if (auto error = Enter("ImageStatus")) return *std::move(error);
    const auto it = std::ranges::find(images, id, &Image::id);
    if (it == images.end()) return std::optional<Image>();
    return std::optional<Image>(*it);
  }
  Result<RuntimeUse> ReadUse(const std::stop_token&) override {
    if (auto error = Enter("ReadUse")) return *std::move(error);
    return use;
  }
  Result<RuntimeUse> ReadContainers(const std::stop_token&) override {
    if (auto error = Enter("ReadContainers")) return *std::move(error);
    return use;
  }
  Result<std::vector<std::string>> ImageFilesystems(const std::stop_token&) override {
    if (auto error = Enter("ImageFilesystems")) return *std::move(error);
    return mountpoints;
  }
  std::size_t batch_size() const override { return batch; }
  Status BeginBatch(const std::vector<const Image*>&, const std::stop_token&) override {
    if (batch > 1)
      if (auto error = Enter("BeginBatch")) return *std::move(error);
    return Done{};
  }
  bool StillHolds(const std::vector<Image>& listed) override { return holds(listed); }
  std::string ReasonToSkip(const Image& image) override {
    return image.id.text() == spares ? "something else holds it" : "";
  }
  Status Reclaim(const std::stop_token&) override {
    if (batch > 1)
      if (auto error = Enter("Reclaim")) return *std::move(error);
    return Done{};
  }
  Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                         const std::stop_token&) override {
    if (std::string why = guard.WhyNot(); !why.empty()) return Removal::Skipped(std::move(why));
    if (auto error = Enter("Remove")) return *std::move(error);
    removed.push_back(image.id.text());
    if (!lists_what_it_removed)
      std::erase_if(images, [&](const Image& i) { return i.id == image.id; });
    return Removal::kRemoved;
  }
  Result<PodEvidence> Read(Millis max_age, const std::stop_token&) override {
    pod_ages.push_back(max_age);
    if (auto error = Enter("ReadPods")) return *std::move(error);
    PodEvidence read = pods;
    read.listed_at = clock_->Steady();
    read.node_name = "node1";
    std::erase_if(read.pods, [&](const PodKey& pod) { return pod.name == hides_pod; });
    return read;
  }
  bool watches() const override { return watches_pods; }
  Result<DiskUsage> Stat(const std::string& mountpoint) override {
    if (auto error = Enter("Stat")) return *std::move(error);
    const auto other = other_disks.find(mountpoint);
    return other == other_disks.end() ? disk : other->second;
  }
  void Sync(const std::string&) override { Enter("Sync"); }

 private:
  std::optional<Error> Enter(const std::string& call) {
    calls.push_back(call);
    return on_call ? on_call(call) : std::nullopt;
  }
  const FakeClock* clock_;
};

}  // namespace imagesweep
