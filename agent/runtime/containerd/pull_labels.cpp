#include "agent/runtime/containerd/pull_labels.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace imagesweep::containerd {
namespace {

// The maximum age of the graph: it should be the one that the run has just read for the same list.
constexpr Millis kRecent = std::chrono::seconds(30);

using Labels = std::unordered_multimap<std::uint32_t, const layers::SourceLabel*>;  // by blob

Labels LabelsByBlob(const layers::MetadataSnapshot& metadata) {
  Labels labels;
  for (const layers::SourceLabel& label : metadata.source_labels())
    labels.emplace(static_cast<std::uint32_t>(label.blob), &label);
  return labels;
}

// "host:5000/team/app" is "host", "team/app".
struct Place {
  std::string_view host, path;
  friend bool operator==(const Place&, const Place&) = default;
};

Place PlaceOf(std::string_view repository) {
  const auto slash = repository.find('/');
  if (slash == std::string_view::npos) return {};
  const std::string_view path = repository.substr(slash + 1);
  std::string_view host = repository.substr(0, slash);
  if (host.starts_with('[')) return {host.substr(1, host.find(']') - 1), path};
  return {host.substr(0, host.find(':')), path};
}

// The repository of a label, as in the names of the image. Empty: it is unknown.
std::string RepositoryOf(const Image& image, std::string_view host, std::string_view path) {
  for (const auto* names : {&image.tags, &image.digests})
    for (const ImageName& name : *names)
      if (PlaceOf(name.repository()) == Place{host, path}) return std::string(name.repository());
  const std::string made = std::string(host) + "/" + std::string(path);
  return ImageName::Parse(made).repository() == made ? made : std::string();
}

void AddProofs(const Image& image, const std::string& target, std::string_view host,
               std::string_view repositories, std::vector<OriginProof>& proofs) {
  while (!repositories.empty()) {
    const auto comma = std::min(repositories.find(','), repositories.size());
    const std::string_view path = repositories.substr(0, comma);
    repositories.remove_prefix(std::min(comma + 1, repositories.size()));
    if (path.empty()) continue;
    std::string repository = RepositoryOf(image, host, path);
    if (repository.empty()) continue;
    std::string pull_by = repository;
    pull_by += "@" + target;
    if (ImageName::Parse(pull_by).text() != pull_by) continue;
    // Each pull of the CRI also records this digest. Converters copy the label to their output
    // (core/images/converter/default.go) and record only a tag.
    const auto is_it = [&](const ImageName& name) { return name.text() == pull_by; };
    if (std::ranges::none_of(image.digests, is_it)) continue;
    if (std::ranges::find(proofs, pull_by, &OriginProof::pull_by) != proofs.end()) continue;
    proofs.push_back({std::move(repository), std::move(pull_by),
                      "containerd pulled it from " + std::string(host) + "/" + std::string(path) +
                          " (label containerd.io/distribution.source)"});
  }
}

}  // namespace

Result<OriginFindings> PullLabels::Find(std::span<const Image> images,
                                        const RuntimeIdentity& runtime,
                                        const std::stop_token& stop) {
  OriginFindings found;
  if (runtime.name != "containerd") return found;
  // k3s and RKE2 put the same label on imported images (k3s pkg/agent/containerd, labelContent).
  if (runtime.version.find("k3s") != std::string::npos ||
      runtime.endpoint.find("/k3s/") != std::string::npos) {
    found.missing = "k3s labels imported images as if they were pulled";
    return found;
  }
  auto known = layers_.Last(kRecent);
  if (!known || !KnowsAll(*known->positions, images)) {
    auto read = layers_.Refresh(images, stop);
    if (!read && read.error().kind == ErrorKind::kNotFound) {
      found.missing = "containerd's own services, which hold the labels of pulls, do not answer";
      return found;
    }
    if (!read) return std::move(read).error().Wrap("read the labels of pulls");
    known = *std::move(read);
  }
  const layers::MetadataSnapshot& metadata = known->graph->metadata();
  found.missing = "containerd has no label of a pull on content that a digest of the image names";
  if (const auto* part = metadata.UnreadOfCri(layers::Unread::What::kObjects))
    found.warnings.push_back("labels of pulls were read only in part: " + part->why);
  const Labels labels = LabelsByBlob(metadata);
  found.proofs.resize(images.size());
  for (std::size_t at = 0; at < images.size(); ++at) {
    const auto records = known->graph->Records(known->positions->at(images[at].id.text()));
    for (const auto& record : records) {
      if (record.ambiguous) continue;
      const auto blob = static_cast<std::uint32_t>(metadata.keys().Find(record.target));
      const auto [first, last] = labels.equal_range(blob);
      for (auto it = first; it != last; ++it)
        AddProofs(images[at], record.target, metadata.keys().Text(it->second->host),
                  metadata.keys().Text(it->second->repositories), found.proofs[at]);
    }
    std::ranges::sort(found.proofs[at], {}, &OriginProof::pull_by);
  }
  return found;
}

}  // namespace imagesweep::containerd
