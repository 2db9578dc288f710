#include "agent/app/image_disks.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace imagesweep {
namespace {

// The directory of containerd's content store if `path` is that of a snapshotter; otherwise empty.
// Source: containerd cmd/containerd/server (root/<plugin URI>).
std::string ContentStoreBeside(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {};
  if (!std::string_view(path).substr(slash + 1).starts_with("io.containerd.snapshotter.v1."))
    return {};
  return path.substr(0, slash + 1) + "io.containerd.content.v1.content";
}

}  // namespace

ImageDisks ReadImageDisks(RuntimeReader& runtime, Filesystem& filesystem,
                          const std::stop_token& stop) {
  ImageDisks found;
  const auto mountpoints = runtime.ImageFilesystems(stop);
  if (!mountpoints) {
    found.problems.push_back(mountpoints.error().what);
    return found;
  }
  if (mountpoints->empty()) found.problems.emplace_back("the runtime reports no image filesystem");
  const auto add = [&](const std::string& path, bool may_be_missing) {
    if (std::ranges::find(found.disks, path, &DiskUsage::mountpoint) != found.disks.end()) return;
    auto usage = filesystem.Stat(path);
    if (usage)
      found.disks.push_back(*std::move(usage));
    else if (!may_be_missing || usage.error().kind != ErrorKind::kNotFound)
      found.problems.push_back(usage.error().what);
  };
  for (const std::string& path : *mountpoints) add(path, false);
  for (const std::string& path : *mountpoints)
    if (const std::string content = ContentStoreBeside(path); !content.empty()) add(content, true);
  return found;
}

}  // namespace imagesweep
