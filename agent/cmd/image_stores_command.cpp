#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include <sys/stat.h>

#include "agent/cmd/commands.h"
#include "agent/cmd/connect.h"
#include "agent/cmd/image_store_reader.h"
#include "agent/cmd/render.h"
#include "agent/report/documents/image_stores.h"
#include "agent/report/render/yaml.h"
#include "agent/runtime/cri/endpoint.h"

// report with several --runtime-endpoint: the image stores as they are now.

namespace imagesweep {
namespace {

// By device and inode, also through symbolic links and bind mounts.  False if one does not exist.
// std::filesystem::equivalent does not compare sockets.
bool IsSameFile(const std::string& one, const std::string& other) {
  struct stat first {};
  struct stat second {};
  return stat(one.c_str(), &first) == 0 && stat(other.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

Error OneStore(const std::string& one, const std::string& other, const std::string& why) {
  return Error{ErrorKind::kInvalid, "--runtime-endpoint " + one + " and " + other +
                                        " are the same image store: " + why +
                                        "; pass each image store once"};
}

// The sockets of the endpoints.  kInvalid: one is no socket path, or two are one socket.
Result<std::vector<cri::Endpoint>> DistinctSockets(const std::vector<std::string>& endpoints) {
  std::vector<cri::Endpoint> sockets;
  for (const std::string& text : endpoints) {
    auto socket = cri::ParseEndpoint(text);
    if (!socket) return std::move(socket).error();
    for (const cri::Endpoint& other : sockets)
      if (*socket == other || IsSameFile(socket->path, other.path))
        return OneStore(other.Uri(), socket->Uri(), "both are one socket");
    sockets.push_back(*std::move(socket));
  }
  return sockets;
}

bool HaveSameImages(const ImageStore& one, const ImageStore& other) {
  if (one.seen.images.empty() || one.seen.images.size() != other.seen.images.size()) return false;
  std::unordered_set<std::string_view> ids;
  for (const Image& image : one.seen.images) ids.insert(image.id.text());
  return std::ranges::all_of(other.seen.images,
                             [&](const Image& image) { return ids.contains(image.id.text()); });
}

// One daemon may listen on two sockets.  Only the directory does not tell: runtimes in containers
// name the same one.
std::optional<Error> FindSameStore(const std::vector<StoreReading>& stores) {
  for (auto one = stores.begin(); one != stores.end(); ++one)
    for (auto other = stores.begin(); other != one; ++other) {
      if (!one->store || !other->store || one->store->disks.empty() || other->store->disks.empty())
        continue;
      const std::string& directory = one->store->disks.front().usage.mountpoint;
      if (IsSameFile(directory, other->store->disks.front().usage.mountpoint) &&
          HaveSameImages(*one->store, *other->store))
        return OneStore(other->endpoint, one->endpoint,
                        "both have the same images in " + directory);
    }
  return std::nullopt;
}

std::string Render(const Options& options, const StoresReport& report) {
  switch (options.output) {
    case Output::kJson:
      return StoresJson(report) + "\n";
    case Output::kYaml:
      return JsonToYaml(StoresJson(report)) + "\n";
    default:
      return PageText(options, MakeStoresPage(report, options.output != Output::kTable));
  }
}

}  // namespace

int RunStoresReport(const Options& options, const std::stop_token& stop) {
  const RealClock clock;
  const auto sockets = DistinctSockets(options.runtime_endpoints);
  if (!sockets) {
    PrintError(sockets.error().what);
    return CodeFor(sockets.error());
  }
  StoresReport report{NodeNameOf(options), clock.Now(), {}};
  for (const cri::Endpoint& socket : *sockets)
    report.stores.push_back(
        {socket.Uri(), ReadImageStore(socket.Uri(), options.timeout, clock, stop)});
  if (const auto same = FindSameStore(report.stores)) {
    PrintError(same->what);
    return CodeFor(*same);
  }
  int code = PrintResult(Render(options, report)) ? kExitDone : kExitFailed;
  for (const StoreReading& reading : report.stores)
    if (!reading.store) {
      PrintError(reading.endpoint + ": " + reading.store.error().what);
      code = kExitFailed;
    }
  return code;
}

}  // namespace imagesweep
