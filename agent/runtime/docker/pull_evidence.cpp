#include "agent/runtime/docker/pull_evidence.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/runtime/docker/engine.h"
#include "agent/runtime/docker/images.h"

namespace imagesweep::docker {
namespace {

// A repository without the port of its registry: Identity.Pull leaves it out.
std::string WithoutPort(std::string_view repository) {
  const auto slash = repository.find('/');
  if (slash == std::string_view::npos) return std::string(repository);
  std::string_view host = repository.substr(0, slash);
  if (host.starts_with('['))
    host = host.substr(1, host.find(']') - 1);
  else
    host = host.substr(0, host.find(':'));
  return std::string(host) + std::string(repository.substr(slash));
}

// The repository of the image that Identity means. Empty: none of its names, or several registries
// on one host, of which only one needs to have it.
std::string RepositoryOf(const Image& image, std::string_view pulled_from) {
  std::string found;
  for (const auto* names : {&image.tags, &image.digests}) {
    for (const ImageName& name : *names) {
      if (WithoutPort(name.repository()) != pulled_from) continue;
      if (!found.empty() && found != name.repository()) return {};
      found = name.repository();
    }
  }
  return found;
}

std::vector<OriginProof> ProofsOf(const Image& image, const std::vector<std::string>& pulled_from,
                                  const std::string& version) {
  std::vector<OriginProof> proofs;
  for (const std::string& from : pulled_from) {
    std::string repository = RepositoryOf(image, from);
    if (repository.empty()) continue;
    std::string pull_by = repository + "@" + image.id.text();
    if (ImageName::Parse(pull_by).text() != pull_by) continue;
    proofs.push_back({std::move(repository), std::move(pull_by),
                      std::string("Docker ")
                          .append(version)
                          .append(" pulled or pushed it as ")
                          .append(from + " (Identity)")});
  }
  return proofs;
}

std::string NamesOf(const Image& image) {
  std::string key;
  for (const auto* names : {&image.tags, &image.digests})
    for (const ImageName& name : *names) key += name.text() + '\n';
  return key;
}

}  // namespace

Result<OriginFindings> PullEvidence::Find(std::span<const Image> images,
                                          const RuntimeIdentity& runtime,
                                          const std::stop_token& stop) {
  OriginFindings found;
  if (runtime.name != "docker") return found;
  if (std::ranges::none_of(images, InContainerdStore)) return found;
  found.missing = "Docker " + runtime.version + " reports no pull of it";
  found.proofs.resize(images.size());
  Known still;
  for (std::size_t at = 0; at < images.size(); ++at) {
    const Image& image = images[at];
    if (!InContainerdStore(image)) continue;
    const std::string names = NamesOf(image);
    auto proofs = known_.With([&](const Known& known) -> std::optional<std::vector<OriginProof>> {
      const auto it = known.find(image.id.text());
      if (it == known.end() || it->second.names != names) return std::nullopt;
      return it->second.proofs;
    });
    if (!proofs) {
      const auto inspected = Inspect(client_, image.id.text(), stop);
      if (!inspected) return inspected.error();
      if (!*inspected || (*inspected)->id != image.id.text()) continue;  // it is gone
      proofs = ProofsOf(image, (*inspected)->pulled_from, runtime.version);
    }
    // An image without a proof may be pushed later, under the same names.
    if (!proofs->empty()) still.insert_or_assign(image.id.text(), Remembered{names, *proofs});
    found.proofs[at] = *std::move(proofs);
  }
  known_.With([&](Known& known) { known = std::move(still); });
  return found;
}

}  // namespace imagesweep::docker
