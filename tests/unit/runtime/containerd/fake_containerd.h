#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <variant>
#include <vector>

#include "agent/base/clock.h"
#include "agent/runtime/containerd/stubs.h"

namespace imagesweep::containerd {

// containerd's services over a small store, in this process. Every call is counted. A call that is
// named in `faults` ends with that status after half of its answer.
class FakeContainerd {
 public:
  struct Blob {
    std::string data;
    std::map<std::string, std::string> labels;
  };
  struct Snapshot {
    std::string parent;
    std::int64_t created = 1;
    std::int64_t bytes = 0;
    std::map<std::string, std::string> labels;
    api::snapshots::Kind kind = api::snapshots::COMMITTED;
  };
  // The data of an image record beside its digest. Times are in seconds.
  struct Details {
    std::map<std::string, std::string> labels;
    std::int64_t created = 0;  // 0: the year 1, the zero time of Go
    std::int64_t updated = 0;
  };
  struct Namespace {
    std::map<std::string, std::string> images;  // name -> digest
    std::map<std::string, Blob> blobs;
    std::map<std::string, Snapshot> snapshots;               // of the overlayfs snapshotter
    std::map<std::string, std::vector<std::string>> leases;  // on blobs
    std::map<std::string, SystemTime> downloads;             // ref -> last progress
    std::map<std::string, std::int64_t> offsets;             // of downloads; 0 if missing
    std::map<std::string, std::string> containers;           // id -> image
    std::map<std::string, std::string> container_snapshots;  // id -> key
  };

  explicit FakeContainerd(bool with_services = true);
  ~FakeContainerd();

  std::shared_ptr<grpc::Channel> Channel() { return server_->InProcessChannel({}); }

  // Change these only while no call is in progress.
  std::map<std::string, Namespace> namespaces;
  std::map<std::string, grpc::Status> faults;  // by method, such as "Content.List"
  std::map<std::string, int> asked;
  std::vector<std::string> changed;        // "delete NAME", "create NAME", "collect", in order
  bool checks_target = true;               // as since 2.0
  std::map<std::string, Details> details;  // of records of images, by name
  // Called on the thread of the server when a call begins.
  std::function<void(const std::string& method)> on_call;
  // Called when Snapshots.Usage or Content.Read reads one object, also in parallel. The call ends
  // when it returns, with its result.
  std::function<grpc::Status(const std::string& method, const std::string& object)> on_object;
  std::string hangs;  // this call waits for `let_go`
  std::counting_semaphore<> let_go{0};

  // Sends events at any time. Each event goes to the current subscriber, or to the next one.
  void Emit(const std::string& name_space, const std::string& topic, const std::string& payload);
  void EmitCreated(const std::string& name_space, const std::string& id, const std::string& image);
  // Ends the current subscription after the events that were sent.
  void EndSubscription(const grpc::Status& status);
  // Waits for this number of subscriptions, including the current one. False after ten seconds.
  bool AwaitSubscription(int number);
  std::vector<std::string> event_filters();  // of the last subscription

 private:
  struct Services;
  struct Feed {
    std::mutex mu;
    std::condition_variable changed;
    int subscriptions = 0;
    std::vector<std::string> filters;
    // An event, or the end of the subscription.
    std::deque<std::variant<api::events::Envelope, grpc::Status>> queue;
  };
  Feed feed_;
  std::mutex asked_mu_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace imagesweep::containerd
