#include "agent/runtime/containerd/content_reader.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "agent/base/parallel_for.h"

namespace imagesweep::containerd {
namespace {

// A larger config has megabytes of labels. Its history is not worth the memory.
constexpr std::uint64_t kMaxDocument = 4 << 20;

}  // namespace

ContentReader::ContentReader(MetadataReader::Stubs& stubs, MetadataReader::Memory& memory,
                             const Calls& calls, layers::MetadataSnapshot& metadata,
                             std::span<const Image> images, bool configs)
    : stubs_(stubs),
      memory_(memory),
      calls_(calls),
      metadata_(metadata),
      images_(images),
      configs_(configs) {
  if (metadata.records_of() == layers::RecordsOf::kCri)
    for (const Image& image : images) config_digests_.insert(image.id.text());
}

const std::string& ContentReader::CriNamespace() const {
  return metadata_.namespaces()[metadata_.cri_namespace()];
}

Result<std::string> ContentReader::ReadBlob(const std::string& digest) const {
  api::content::ReadContentRequest request;
  request.set_digest(digest);
  std::string text;
  const auto status =
      calls_.In(CriNamespace())
          .StreamingCall(
              "Content.Read " + digest, stubs_.content, &api::content::Content::Stub::Read, request,
              [&text](const api::content::ReadContentResponse& reply) { text += reply.data(); });
  if (!status) return status.error();
  return text;
}

void ContentReader::FindDocuments() {
  if (metadata_.records_of() == layers::RecordsOf::kDocker) {
    if (configs_) FindConfigsByLabel();
    return;
  }
  const layers::KeyTable& keys = metadata_.keys();
  std::unordered_set<layers::Key> configs, targets;
  for (const Image& image : images_) configs.insert(keys.Find(image.id.text()));
  configs.erase(layers::kNoKey);
  for (const auto& image : metadata_.images())
    if (image.space == metadata_.cri_namespace()) targets.insert(image.target);
  const auto labelled = [&](const layers::Blob& blob) {
    return std::ranges::any_of(metadata_.Of(blob.references), [](const layers::Reference& its) {
      return its.type == layers::ObjectType::kContent && !its.back;
    });
  };
  for (const auto& blob : metadata_.blobs())
    if (blob.space == metadata_.cri_namespace() &&
        (configs.contains(blob.digest) ? configs_
                                       : targets.contains(blob.digest) && !labelled(blob)))
      present_[keys.Text(blob.digest)] = blob.bytes;
}

// Only configs refer to snapshots.
void ContentReader::FindConfigsByLabel() {
  for (const auto& blob : metadata_.blobs()) {
    if (blob.space != metadata_.cri_namespace()) continue;
    const auto references = metadata_.Of(blob.references);
    if (std::ranges::none_of(references, [](const layers::Reference& its) {
          return its.type == layers::ObjectType::kSnapshot && !its.back;
        }))
      continue;
    std::string digest = metadata_.keys().Text(blob.digest);
    present_[digest] = blob.bytes;
    config_digests_.insert(std::move(digest));
  }
}

// Reads the configs and the manifests without labels that are not remembered. It reads some at a
// time, so that a node with many large documents does not need memory for all of them.
void ContentReader::ReadDocuments() {
  std::vector<const std::string*> unknown;
  for (const auto& [digest, size] : present_) {
    const bool known = config_digests_.contains(digest) ? memory_.configs.contains(digest)
                                                        : memory_.manifest_configs.contains(digest);
    if (size <= kMaxDocument && !known) unknown.push_back(&digest);
  }
  for (std::span<const std::string* const> rest = unknown; !rest.empty();) {
    std::size_t count = 1;
    std::uint64_t bytes = present_.at(*rest[0]);
    while (count < rest.size() && bytes + present_.at(*rest[count]) <= kMaxDocument)
      bytes += present_.at(*rest[count++]);
    if (!ReadDocuments(rest.first(count))) return;
    rest = rest.subspan(count);
  }
}

bool ContentReader::ReadDocuments(std::span<const std::string* const> digests) {
  using Text = Result<std::string>;
  const auto gone = [](const Text& one) {  // since the list
    return !one && one.error().kind == ErrorKind::kNotFound;
  };
  const auto texts = ParallelFor(
      digests.size(), [&](std::size_t number) { return ReadBlob(*digests[number]); },
      [&](const Text& one) { return !one && !gone(one); });
  for (std::size_t number = 0; number < texts.size(); ++number) {
    const Text& text = *texts[number];
    const std::string& digest = *digests[number];
    if (gone(text)) continue;
    if (!text) {
      metadata_.CouldNotRead({layers::Unread::What::kObjects, CriNamespace(), text.error().what});
      return false;
    }
    // A document that cannot be parsed has no facts, and is not read again.
    if (config_digests_.contains(digest)) {
      auto facts = ParseConfig(*text);
      memory_.configs.emplace(digest, facts ? *std::move(facts) : ConfigFacts{});
    } else {
      auto config = ConfigOfManifest(*text);
      memory_.manifest_configs.emplace(digest, config ? *std::move(config) : std::string());
    }
  }
  return true;
}

void ContentReader::Read() {
  FindDocuments();
  ReadDocuments();
  std::unordered_map<std::string, std::vector<std::string_view>> manifests;  // by config
  for (const auto& [manifest, config] : memory_.manifest_configs)
    if (present_.contains(manifest)) manifests[config].push_back(manifest);
  for (const std::string& id : config_digests_) {
    const auto config = memory_.configs.find(id);
    const auto without_labels = manifests.find(id);
    if (config == memory_.configs.end() && without_labels == manifests.end()) continue;
    std::vector<std::string_view> diff_ids;
    std::vector<layers::HistoryStep> history;
    if (config != memory_.configs.end()) {
      diff_ids.assign(config->second.diff_ids.begin(), config->second.diff_ids.end());
      for (const auto& step : config->second.history)
        history.push_back({step.created_by, step.empty_layer});
    }
    metadata_.AddFacts(id,
                       without_labels == manifests.end() ? std::vector<std::string_view>()
                                                         : without_labels->second,
                       diff_ids, history);
  }
}

void ContentReader::Forget() {
  std::erase_if(memory_.configs,
                [&](const auto& entry) { return !present_.contains(entry.first); });
  std::erase_if(memory_.manifest_configs,
                [&](const auto& entry) { return !present_.contains(entry.first); });
}

}  // namespace imagesweep::containerd
