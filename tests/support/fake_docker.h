#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.h"

namespace imagesweep {

struct FakeEngineImage {
  std::string id = {};                    // "sha256:…"
  std::vector<std::string> tags = {};     // familiar: "nginx:1", not "docker.io/library/nginx:1"
  std::vector<std::string> digests = {};  // "nginx@sha256:…"
  std::map<std::string, std::string> labels = {};
  std::uint64_t size = 1024;
  std::optional<std::uint64_t> shared_size = {};
  std::vector<std::string> diff_ids = {};
  std::string parent = {};  // the ID of the image of the classic builder that it is built on
  std::vector<std::string> pulled_from = {};           // Identity.Pull, from API 1.53 on
  bool built_here = false;                             // Identity.Build
  std::string last_tag_time = "0001-01-01T00:00:00Z";  // Metadata; this one: no tag yet
};

struct FakeEngineContainer {
  std::string id = {};  // 64 hex digits; Edit() and AddContainer() leave it as it is
  std::string name = {};
  std::string image = {};     // the text of its creator
  std::string image_id = {};  // "sha256:…"
  std::string state = "running";
  std::map<std::string, std::string> labels = {};
  std::vector<std::string> mounted_images = {};  // names of mounts of type image
};

// The content of the fake daemon. Plain data: fill it as a test needs it.
struct FakeEngineNode {
  std::string version = "20.10.24+dfsg1";
  std::string api_version = "1.41", min_api_version = "1.12";  // of the daemon
  std::string id = "YDCM:WJ2L:7WEC:MQSU:5VWJ:AYBH:CGPF:TAEO:XPT5:P6WW:WZHF:VI6P";
  std::string root = "/var/lib/docker";
  std::string driver = "overlay2";
  bool containerd_store = false;
  bool swarm = false;
  std::vector<FakeEngineImage> images = {};
  std::vector<FakeEngineContainer> containers = {};
  // What POST /images/create finds, by reference with a tag or a digest. The pull adds the image.
  std::map<std::string, FakeEngineImage> registry = {};
  // What POST /images/load adds, independent of the archive.
  std::vector<FakeEngineImage> archive_images = {};
  // The stream of messages of POST /images/create or /images/load instead of a success. The
  // request then changes nothing. Empty: none.
  std::string pull_progress = {}, load_progress = {};
  std::string archive = "tar";  // what GET /images/get sends
};

struct FakeEngineRequest {
  std::string method = {};
  std::string version = {};  // "1.41"; empty: unversioned
  std::string target = {};   // path and query without the version: "/images/json?all=0"
  std::string path = {};     // decoded, without the query
  std::map<std::string, std::string> query = {};  // decoded
  std::map<std::string, std::string> headers = {};
  std::string body = {};
};

struct FakeEngineReply {
  int status = 200;
  std::string body = {};
  std::map<std::string, std::string> headers = {};   // replace those of the fake; empty: left out
  std::optional<std::uint64_t> content_length = {};  // what the header says; more: a cut-off body
  bool chunked = false;                              // the body as one chunk
  bool cut_off = false;                              // chunked: the end of the chunks is missing
  bool hang = false;  // nothing is sent until Release(), Stop(), or the client leaves
  Millis delay{0};    // real time before the answer
  std::optional<std::string> raw = {};  // sent as it is, instead of an HTTP response
  std::size_t repeat = 0;  // sends `body` as one more chunk this number of times; implies chunked

  // {"message": …}, as the daemon writes it.
  static FakeEngineReply Failure(int status, std::string_view message);
};

// A small working Docker Engine: a real HTTP server on a real unix socket in the process of the
// test. It has a node, and DELETE really removes images by the rules of moby (image_delete.go).
//
//   FakeDocker engine;
//   engine.AddImage({.id = "sha256:…", .tags = {"nginx:1"}});
//   engine.AddContainer({.id = …, .image = "nginx:1", .image_id = "sha256:…"});
//   engine.OnRequest([&](auto& method, auto& target) -> std::optional<FakeEngineReply> {…});
//   … engine.socket_path() …
//   EXPECT_THAT(engine.Log("DELETE"), ElementsAre("DELETE /images/nginx:1?…"));
//
// Thread-safe.
class FakeDocker {
 public:
  // Called before the answer is computed, without a lock: to change the node (the race), and to
  // answer instead of the fake. `target` is without the version.
  using Hook = std::function<std::optional<FakeEngineReply>(const std::string& method,
                                                            const std::string& target)>;

  // Listens immediately. Without a path, it uses a temporary directory, which it deletes.
  explicit FakeDocker(std::string socket_path = {});
  ~FakeDocker();
  FakeDocker(const FakeDocker&) = delete;
  FakeDocker& operator=(const FakeDocker&) = delete;

  const std::string& socket_path() const;

  // A restart of the daemon: the same path and node, and a socket with another inode.
  void Stop();
  void Start();

  // Reads or changes the node under the lock. Do not call other methods in `edit`.
  void Edit(const std::function<void(FakeEngineNode&)>& edit);
  FakeEngineNode node() const;
  std::vector<std::string> ImageIds() const;
  std::optional<FakeEngineImage> Image(const std::string& id) const;
  void AddImage(FakeEngineImage image);
  void AddContainer(FakeEngineContainer container);
  void RemoveContainer(const std::string& id);

  void OnRequest(Hook hook);  // an empty one removes it
  void Release();             // ends the replies that hang; they close without an answer

  // Sends a line to everyone who reads GET /events. The fake sends no events of its own.
  void PushEvent(const std::string& json);
  void EndEvents();                  // ends the streams as a daemon that stops does
  std::size_t EventReaders() const;  // open streams
  bool WaitForEventReaders(std::size_t count, Millis patience = std::chrono::seconds(10)) const;

  // Every request that arrived, in order.
  std::vector<FakeEngineRequest> requests() const;
  // "METHOD target" of those with this method, or of all.
  std::vector<std::string> Log(std::string_view method = {}) const;
  void ForgetRequests();

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

// For the server: the answer of a node to one request (fake_docker_engine.cpp).
FakeEngineReply Answer(FakeEngineNode& node, const FakeEngineRequest& request);

}  // namespace imagesweep
