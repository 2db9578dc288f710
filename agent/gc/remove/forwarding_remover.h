#pragma once

#include <string>
#include <utility>
#include <vector>

#include "agent/model/ports.h"

namespace imagesweep {

// The base of removers around another one.  Forwards all calls that a subclass does not override,
// so that no call is forgotten.
class ForwardingRemover : public ImageRemover {
 public:
  // `inner` must outlive it.
  explicit ForwardingRemover(ImageRemover& inner) : inner_(inner) {}

  void BeginRun() override { inner_.BeginRun(); }
  std::size_t batch_size() const override { return inner_.batch_size(); }
  std::size_t in_flight() const override { return inner_.in_flight(); }
  Status BeginBatch(const std::vector<const Image*>& images, const std::stop_token& stop) override {
    return inner_.BeginBatch(images, stop);
  }
  Result<std::vector<ImageReference>> ReadNonCriContainers(const std::vector<std::string>& listed,
                                                           const std::stop_token& stop) override {
    return inner_.ReadNonCriContainers(listed, stop);
  }
  bool StillHolds(const std::vector<Image>& listed) override { return inner_.StillHolds(listed); }
  std::string ReasonToSkip(const Image& image) override { return inner_.ReasonToSkip(image); }
  Status Reclaim(const std::stop_token& stop) override { return inner_.Reclaim(stop); }
  Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                         const std::stop_token& stop) override {
    return inner_.Remove(image, guard, stop);
  }

 protected:
  ImageRemover& inner() { return inner_; }

 private:
  ImageRemover& inner_;
};

// A remover that does not remove.  It replaces the chain of removers below VerifyingRemover, so
// that a dry run rechecks one image at a time, writes no archive, and does not read the containers
// that the CRI does not list.
class DryRunRemover final : public ImageRemover {
 public:
  Result<Removal> Remove(const Image&, DeletionGuard& guard, const std::stop_token&) override {
    std::string why = guard.WhyNot();
    if (!why.empty()) return Removal::Skipped(std::move(why));
    return Removal::kWouldRemove;
  }
};

}  // namespace imagesweep
