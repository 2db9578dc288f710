#include "agent/runtime/cri/repo_digests.h"

#include <charconv>

namespace imagesweep::cri {
namespace {

// Docker numbers releases by year and month since 17.03. Docker 29 made the containerd image store
// the default.
constexpr int kFirstMajor = 17, kLastWithOwnStore = 28;

}  // namespace

int DockerMajor(std::string_view version) {
  int major = 0, minor = 0;
  const char* const end = version.data() + version.size();
  const auto first = std::from_chars(version.data(), end, major);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.') return 0;
  const auto second = std::from_chars(first.ptr + 1, end, minor);
  return second.ec == std::errc() && major >= kFirstMajor ? major : 0;
}

Result<OriginFindings> RepoDigests::Find(std::span<const Image> images,
                                         const RuntimeIdentity& runtime, const std::stop_token&) {
  OriginFindings found;
  if (runtime.name == "containerd") return found;
  if (runtime.name == "cri-o") {
    found.missing = "CRI-O also gives repo digests to images that no registry has";
    return found;
  }
  if (runtime.name != "docker") return found;
  const int major = DockerMajor(runtime.version);
  if (major == 0 || major > kLastWithOwnStore) {
    found.missing = "Docker " + runtime.version +
                    (major == 0 ? " is not known to give repo digests to pulled images only"
                                : " also gives repo digests to images that no registry has");
    return found;
  }
  found.missing = "Docker " + runtime.version + " has no record of a pull or push";
  found.proofs.resize(images.size());
  for (std::size_t at = 0; at < images.size(); ++at) {
    for (const ImageName& name : images[at].digests) {
      if (name.digest().empty() || name.digest() == images[at].id.text()) continue;
      found.proofs[at].push_back({std::string(name.repository()), name.text(),
                                  "Docker " + runtime.version + " pulled or pushed it as " +
                                      std::string(name.repository())});
    }
  }
  return found;
}

}  // namespace imagesweep::cri
