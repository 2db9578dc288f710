#pragma once

#include <containerd/containers.grpc.pb.h>
#include <containerd/content.grpc.pb.h>
#include <containerd/events.grpc.pb.h>
#include <containerd/images.grpc.pb.h>
#include <containerd/introspection.grpc.pb.h>
#include <containerd/leases.grpc.pb.h>
#include <containerd/namespaces.grpc.pb.h>
#include <containerd/sandbox.grpc.pb.h>
#include <containerd/snapshots.grpc.pb.h>
#include <containerd/types.pb.h>
#include <containerd/version.grpc.pb.h>

#include <algorithm>
#include <memory>

#include "agent/base/clock.h"
#include "agent/runtime/containerd/metadata_reader.h"

namespace imagesweep::containerd {

// Go's zero time is in the year 1, which a SystemTime cannot represent. Such times become the first
// or the last SystemTime.
inline SystemTime TimeOf(const ::containerd::types::Timestamp& time) {
  using std::chrono::seconds;
  constexpr auto kFirst = std::chrono::ceil<seconds>(SystemTime::min()).time_since_epoch();
  constexpr auto kLast = std::chrono::floor<seconds>(SystemTime::max()).time_since_epoch();
  // The last whole second has no room for a fraction.
  const seconds whole = std::clamp(seconds(time.seconds()), kFirst, kLast - seconds(1));
  const std::chrono::nanoseconds part(std::clamp(time.nanos(), 0, 999'999'999));
  return SystemTime(std::chrono::duration_cast<SystemTime::duration>(whole + part));
}

namespace api {
namespace containers = ::containerd::services::containers::v1;
namespace content = ::containerd::services::content::v1;
namespace events = ::containerd::services::events::v1;
namespace images = ::containerd::services::images::v1;
namespace introspection = ::containerd::services::introspection::v1;
namespace leases = ::containerd::services::leases::v1;
namespace namespaces = ::containerd::services::namespaces::v1;
namespace sandbox = ::containerd::services::sandbox::v1;
namespace snapshots = ::containerd::services::snapshots::v1;
namespace version = ::containerd::services::version::v1;
}  // namespace api

struct MetadataReader::Stubs {
  explicit Stubs(const std::shared_ptr<grpc::Channel>& channel)
      : containers(channel),
        content(channel),
        images(channel),
        introspection(channel),
        leases(channel),
        namespaces(channel),
        sandboxes(channel),
        snapshots(channel),
        version(channel) {}

  api::containers::Containers::Stub containers;
  api::content::Content::Stub content;
  api::images::Images::Stub images;
  api::introspection::Introspection::Stub introspection;
  api::leases::Leases::Stub leases;
  api::namespaces::Namespaces::Stub namespaces;
  api::sandbox::Store::Stub sandboxes;
  api::snapshots::Snapshots::Stub snapshots;
  api::version::Version::Stub version;
};

}  // namespace imagesweep::containerd
