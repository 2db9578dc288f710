#pragma once

#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/layers/reader.h"
#include "agent/layers/world.h"
#include "agent/model/image.h"

namespace grpc {
class Channel;
}

namespace imagesweep::containerd {

struct CollectorOptions {
  std::string cri_namespace = "k8s.io";
  // What one collection may take, all its calls together.
  Millis timeout = std::chrono::seconds(30);
  // The file system on which a directory of containerd lies, as we see it; empty, or kOther when it
  // cannot be seen: figures are estimates then.
  std::function<layers::Disk(const std::string& directory)> disk;
  // Reads also the config of each image, for World::facts(): what analyses of layers are made of,
  // and half of all calls when nothing is remembered.  What removal frees does not depend on it.
  bool configs = false;
};

// Reads containerd's own services, which are on the socket of the CRI: no further privilege is
// needed.  Reads only.  All namespaces: a blob's file is shared by them.
//
// Objects first, leases and containers last: one that appears in between is then seen, and at worst
// an object is that has gone.  Image records come before their content, or they would lead nowhere;
// so what is shared with a download that ends in between may be taken to be free.
//
// Of a committed snapshot the usage never changes, nor does a config: both are read once and
// remembered for as long as they are there.  Usage of others is not asked for: it walks the disk.
//
// Source: containerd api/services, the same numbers from 1.6 on (proto/containerd); Usage:
// core/snapshots/snapshotter.go.  Not for several threads at once.
class Collector final : public layers::LayerReader {
 public:
  Collector(const std::shared_ptr<grpc::Channel>& channel, const Clock& clock,
            CollectorOptions options = {});
  ~Collector() override;

  // kNotFound: these services are not there, so this is no containerd.  Other errors: neither its
  // version nor its namespaces could be read, or `stop`.  Whatever else fails is in
  // World::unread().
  Result<layers::World> Collect(std::span<const Image> images, const std::stop_token& stop);
  Result<std::shared_ptr<const layers::LayerGraph>> Read(std::span<const Image> images,
                                                         const std::stop_token& stop) override;

  struct Stubs;
  struct Memory;

 private:
  const Clock& clock_;
  const CollectorOptions options_;
  const std::unique_ptr<Stubs> stubs_;
  const std::unique_ptr<Memory> memory_;
};

}  // namespace imagesweep::containerd
