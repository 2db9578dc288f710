#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "agent/base/clock.h"

// The implementation of answers in fake_cri.cpp: each call has its own thread, so that it may wait,
// and wakes up if the client cancels. Not for tests.

namespace imagesweep::fake {

// Opens once, if the call is canceled.
class EvidenceGate {
 public:
  void Open() {
    const std::scoped_lock lock(mu_);
    open_ = true;
    opened_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mu_);
    opened_.wait(lock, [this] { return open_; });
  }
  void WaitFor(Millis time) {
    std::unique_lock lock(mu_);
    opened_.wait_for(lock, time, [this] { return open_; });
  }

 private:
  std::mutex mu_;
  std::condition_variable opened_;
  bool open_ = false;
};

// gRPC owns these objects. Each deletes itself when gRPC has finished with it, after Finish().
class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  EvidenceGate gate;
  void OnCancel() override { gate.Open(); }
  void OnDone() override { delete this; }
};

template <typename Reply>
class StreamCall final : public grpc::ServerWriteReactor<Reply> {
 public:
  EvidenceGate gate;

  // False if the client is gone.
  bool Send(const Reply& reply) {
    {
      const std::scoped_lock lock(mu_);
      written_ = false;
    }
    this->StartWrite(&reply);
    std::unique_lock lock(mu_);
    done_.wait(lock, [this] { return written_; });
    return ok_;
  }
  void OnWriteDone(bool ok) override {
    const std::scoped_lock lock(mu_);
    written_ = true;
    ok_ = ok;
    done_.notify_all();
  }
  void OnCancel() override { gate.Open(); }
  void OnDone() override { delete this; }

 private:
  std::mutex mu_;
  std::condition_variable done_;
  bool written_ = false;
  bool ok_ = false;
};

// Threads without a handle that can still be waited for.
class Workers {
 public:
  void Run(std::function<void()> work) {
    {
      const std::scoped_lock lock(count_->mu);
      ++count_->running;
    }
    std::thread([count = count_, work = std::move(work)]() mutable {
      work();
      work = nullptr;
      const std::scoped_lock lock(count->mu);
      --count->running;
      count->changed.notify_all();
    }).detach();
  }
  void WaitForAll() {
    std::unique_lock lock(count_->mu);
    count_->changed.wait(lock, [this] { return count_->running == 0; });
  }

 private:
  struct Counter {
    std::mutex mu;
    std::condition_variable changed;
    int running = 0;
  };
  const std::shared_ptr<Counter> count_ = std::make_shared<Counter>();
};

}  // namespace imagesweep::fake
