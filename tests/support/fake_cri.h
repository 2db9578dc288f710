#pragma once

#include <grpcpp/support/status_code_enum.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.h"
#include "agent/model/evidence.h"
#include "agent/model/image.h"

namespace imagesweep {

// The behavior that the fake has: the fields that show what a container uses, and the effect of
// RemoveImage. Source: containerd internal/cri/server, cri-o server/, cri-dockerd core/.
enum class Flavour {
  kContainerd22,  // up to 2.2: image_ref is the id, no image_id; removes used images without an
                  // error
  kContainerd23,  // from 2.3: image_id too
  kCrio129,  // up to 1.29: bare hex ids, image_ref is repo@digest, no image_id; refuses used images
  kCrio130,  // from 1.30: image_id too
  kDockerd,  // docker-pullable:// docker-pullable:// references; names remove nothing; used image:
             // removes tags, then fails
};

struct FakeImage {
  std::string id = {};
  std::vector<std::string> tags = {};
  std::vector<std::string> digests = {};
  std::uint64_t size = 1024;
  bool pinned = false;
  std::string runtime_handler = {};
  std::string info = {};  // ImageStatus(verbose) info["info"]; empty: none

  // As `image` appears in a list. Use it with Img() of images.h.
  static FakeImage From(const Image& image);
};

struct FakeVolume {  // an image mounted as a volume
  std::string mount_path = {};
  std::string image = {};
  std::string user_specified_image = {};
  std::string image_ref = {};
};

struct FakeContainer {
  enum class State { kCreated, kRunning, kExited, kUnknown };
  std::string id = {};
  std::string sandbox = {};
  std::string name = {};
  PodKey pod = {};         // written into the labels of the kubelet; no uid: no labels
  std::string image = {};  // image.image
  std::string user_specified_image = {};  // image.user_specified_image
  std::string spec_image_ref = {};        // image.image_ref
  std::string image_ref = {};
  std::string image_id = {};
  std::string status_image_ref = {};  // ContainerStatus.image_ref
  std::vector<FakeVolume> volumes = {};
  State state = State::kRunning;
};

struct FakeSandbox {
  std::string id = {};
  PodKey pod = {};  // no uid: not created by a kubelet
  bool ready = true;
  std::string info = {};  // PodSandboxStatus(verbose) info["info"]; empty: none
};

// The content of the fake runtime. Plain data: fill it as a test needs it.
struct FakeNode {
  std::string runtime_name = "containerd";
  std::string runtime_version = "1.7.24";
  std::vector<FakeImage> images = {};
  std::vector<FakeContainer> containers = {};
  std::vector<FakeSandbox> sandboxes = {};
  std::vector<std::string> image_filesystems = {
      "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs"};
  std::string config = {};           // Status(verbose) info["config"]; empty: none
  bool streams = false;              // offers StreamImages and StreamContainers
  std::size_t stream_batch = 2;      // entries per streamed message
  bool offers_cri = true;            // false: every call is "unknown service"
  bool removed_stay_listed = false;  // RemoveImage returns OK and does nothing
  bool removal_fails_late = false;   // RemoveImage removes the image and returns DEADLINE_EXCEEDED
};

// The ways in which calls of one method fail.
struct Fault {
  enum class Hang {
    kNo,
    kBeforeHeaders,
    kAfterHeaders,
    kHalfway,  // streams: after the first message; other calls: as kAfterHeaders
  };
  grpc::StatusCode code = grpc::StatusCode::OK;
  std::string message = {};
  bool halfway = false;  // streams: the error comes after the first message
  Hang hang = Hang::kNo;
  Millis delay{0};            // real time before the answer
  std::size_t pad_bytes = 0;  // makes the reply larger by this number of bytes
  int times = -1;             // for this number of calls; -1: until cleared
};

struct FakeCall {
  std::string method = {};    // "RemoveImage"
  std::string argument = {};  // the image, container, or sandbox; "filter" for a filtered list
  std::string runtime_handler = {};
  SteadyTime at;
};

// A small working container runtime: a real gRPC server on a real unix socket in the process of the
// test, so that deadlines, limits, and status codes are those of the library. It is not a script of
// expected calls: it has a node, and RemoveImage really removes images.
//
//   FakeCri runtime;
//   runtime.AddImage(FakeImage::From(Img("a", {"nginx:1"})));
//   runtime.RunPod({"shop", "api", "uid-1"}, "web", "nginx:1");
//   runtime.Before("RemoveImage", [&](const FakeCall&) { runtime.RunPod(…); });  // the race
//   … runtime.Endpoint() …
//   EXPECT_THAT(runtime.Arguments("RemoveImage"), ElementsAre(…));
//
// Thread-safe. Calls that hang or wait end when the client cancels, or at Stop().
class FakeCri {
 public:
  using Hook = std::function<void(const FakeCall&)>;

  // Listens immediately. Without a path, it uses a temporary directory, which it deletes.
  explicit FakeCri(Flavour flavour = Flavour::kContainerd22, std::string socket_path = {});
  ~FakeCri();
  FakeCri(const FakeCri&) = delete;
  FakeCri& operator=(const FakeCri&) = delete;

  const std::string& socket_path() const;
  std::string Endpoint() const;  // "unix://…"

  // A restart of the runtime: the same path and node, and a socket with another inode.
  void Stop();
  void Start();

  // Reads or changes the node under the lock. Do not call other methods in `edit`.
  void Edit(const std::function<void(FakeNode&)>& edit);
  FakeNode node() const;
  std::vector<std::string> ImageIds() const;

  void AddImage(FakeImage image);
  // A sandbox and one running container with the fields that this flavor writes for the image
  // `image`, which need not exist. Returns the ID of the container.
  std::string RunPod(const PodKey& pod, const std::string& container, const std::string& image);
  void RemoveContainer(const std::string& id);

  void Set(const std::string& method, Fault fault);
  void SetAll(Fault fault);  // for methods without a fault of their own
  void ClearFaults();

  // `hook` runs on the thread of the call, without the lock: before the answer is computed, or
  // after that and before it is sent. Each method has one of each. An empty hook removes it.
  void Before(const std::string& method, Hook hook);
  void After(const std::string& method, Hook hook);

  // Every call that arrived, in order, including faulty ones.
  std::vector<FakeCall> calls() const;
  std::size_t Count(std::string_view method) const;
  std::vector<std::string> Arguments(std::string_view method) const;
  void ForgetCalls();

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace imagesweep
