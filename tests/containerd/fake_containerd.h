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
#include "agent/containerd/stubs.h"

namespace imagesweep::containerd {

// containerd's services over a small store, in this process.  Everything asked for is counted; a
// call named in `faults` ends with that status after half of what it had to say.
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
  // What a record of an image has beside its digest; times in seconds.
  struct Details {
    std::map<std::string, std::string> labels;
    std::int64_t created = 0;  // 0: the year 1, as Go has it
    std::int64_t updated = 0;
  };
  struct Space {
    std::map<std::string, std::string> images;  // name -> digest
    std::map<std::string, Blob> blobs;
    std::map<std::string, Snapshot> snapshots;               // of overlayfs
    std::map<std::string, std::vector<std::string>> leases;  // on blobs
    std::map<std::string, SystemTime> downloads;             // ref -> last progress
    std::map<std::string, std::int64_t> offsets;             // of downloads; 0 where missing
    std::map<std::string, std::string> containers;           // id -> image
    std::map<std::string, std::string> container_snapshots;  // id -> key
  };

  explicit FakeContainerd(bool with_services = true);
  ~FakeContainerd();

  std::shared_ptr<grpc::Channel> Channel() { return server_->InProcessChannel({}); }

  // Change them only while nobody asks.
  std::map<std::string, Space> spaces;
  std::map<std::string, grpc::Status> faults;  // by "Content.List"
  std::map<std::string, int> asked;
  std::vector<std::string> changed;        // "delete NAME", "create NAME", "collect", in order
  bool checks_target = true;               // as from 2.0 on
  std::map<std::string, Details> details;  // of records of images, by name
  // Called when a call begins, on the thread of the server.
  std::function<void(const std::string& method)> on_call;
  // Called when Snapshots.Usage or Content.Read asks for one object, several at the same time: when
  // it returns, and how, the call ends.
  std::function<grpc::Status(const std::string& method, const std::string& object)> on_object;
  std::string hangs;  // this call does not return before `let_go`
  std::counting_semaphore<> let_go{0};

  // Events, at any time.  Each goes to the one subscriber there is, or to the next.
  void Emit(const std::string& name_space, const std::string& topic, const std::string& payload);
  void EmitCreated(const std::string& name_space, const std::string& id, const std::string& image);
  // Ends the subscription there is, after what was emitted.
  void EndSubscription(const grpc::Status& status);
  // Until there were so many subscriptions, this one included; false after ten seconds.
  bool AwaitSubscription(int number);
  std::vector<std::string> event_filters();  // of the last subscription

 private:
  struct Services;
  struct Feed {
    std::mutex mu;
    std::condition_variable changed;
    int subscriptions = 0;
    std::vector<std::string> filters;
    // An event, or how the subscription ends.
    std::deque<std::variant<api::events::Envelope, grpc::Status>> queue;
  };
  Feed feed_;
  std::mutex asked_mu_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace imagesweep::containerd
