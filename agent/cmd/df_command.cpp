#include <algorithm>
#include <array>

#include "agent/cmd/commands.h"
#include "agent/cmd/connect.h"
#include "agent/cmd/image_choice.h"
#include "agent/cmd/render.h"
#include "agent/gc/observe/layers_disk.h"
#include "agent/gc/observe/unlisted_use.h"
#include "agent/imagestore/analysis/breakdown.h"
#include "agent/imagestore/analysis/sharing.h"
#include "agent/model/image_index.h"
#include "agent/report/documents/df.h"
#include "agent/report/render/yaml.h"
#include "agent/runtime/cri/layer_facts.h"

// df: disk usage of the image store by owner, and the space that removals would free.  Needs only
// the runtime.  Shows upper bounds for a runtime that does not report layer sizes.

namespace imagesweep {
namespace {

SpaceOnDisk ToSpace(const layers::Reclaim& reclaim) {
  return {reclaim.bytes, reclaim.inodes, reclaim.blobs, reclaim.snapshots};
}

FreedSpace ToFreed(const layers::Freed& freed) {
  return {ToSpace(freed.space), std::string(layers::ToString(freed.certainty)), freed.why};
}

// One image per text, or an error.
Result<std::vector<ImagePos>> Find(const ByImage<Image>& images,
                                   const std::vector<std::string>& texts) {
  std::vector<ImagePos> found;
  for (const std::string& text : texts) {
    const auto matches = ImagesMeantBy(images, text);
    if (matches.size() != 1)
      return Error{ErrorKind::kNotFound,
                   matches.empty() ? "image \"" + text + "\" not found on this node"
                                   : "\"" + text + "\" matches " + std::to_string(matches.size()) +
                                         " images; specify an ID"};
    if (std::ranges::find(found, matches.front()) == found.end()) found.push_back(matches.front());
  }
  return found;
}

DiskUse Describe(const layers::LayerGraph& graph, const ByImage<Image>& images) {
  DiskUse use;
  const layers::Breakdown breakdown = layers::BreakDown(graph, images);
  for (std::size_t at = 0; at < layers::kUsageCategories; ++at)
    use.accounts.push_back({std::string(layers::ToString(static_cast<layers::UsageCategory>(at))),
                            ToSpace(breakdown.accounts[at])});
  const layers::Sharing sharing = layers::MeasureSharing(graph);
  for (const ImagePos at : Positions(images)) {
    const std::array alone{at};
    DiskUse::ImageSpace one{.id = images[at].id.text(),
                            .name = images[at].display_name(),
                            .tags = {},
                            .in_use = graph.Use(at) != layers::SnapshotUse::kNone,
                            .pinned = images[at].pinned,
                            .total = ToSpace(sharing.images[at].total),
                            .unique = ToSpace(sharing.images[at].unique),
                            .freed = ToFreed(graph.FreedBy(alone))};
    for (const ImageName& tag : images[at].tags) one.tags.push_back(tag.text());
    for (const layers::NativeRecord& record : graph.Records(at))
      if (record.survives_remove_image) one.survivors.push_back(record.name);
    use.images.push_back(std::move(one));
  }
  std::ranges::sort(use.images, [](const auto& one, const auto& other) {
    if (one.freed.space.bytes != other.freed.space.bytes)
      return one.freed.space.bytes > other.freed.space.bytes;
    return one.name != other.name ? one.name < other.name : one.id < other.id;
  });
  for (const layers::Unread& part : graph.metadata().unread()) use.unread.push_back(part.why);
  return use;
}

constexpr const char* kNotKnown = "not known";

FreedSpace Bound(const std::optional<std::uint64_t>& bytes, const std::string& why) {
  return {{bytes.value_or(0), 0, 0, 0}, bytes ? "at most" : kNotKnown, why};
}

// The images in use, only by the containers of the runtime.  `graph` may be null.
Result<ByImage<bool>> ReadInUse(RuntimeReader& runtime, const ByImage<Image>& images,
                                const layers::LayerGraph* graph, const std::stop_token& stop) {
  auto use = runtime.ReadUse(stop);
  if (!use) return use.error();
  const ImageIndex index(images);
  ByImage<bool> in_use(images.size());
  if (graph != nullptr) AddUnlistedUse(*graph, images, *use);
  for (const ImageReference& reference : use->references)
    for (const ImagePos at : index.Resolve(reference)) in_use[at] = true;
  return in_use;
}

// Upper bounds without layer sizes; `why` is the error that prevented exact sizes.
Result<DiskUse> DescribeBounds(NodeRuntime& node, const ByImage<Image>& images,
                               const std::vector<ImagePos>& removed, const Error& why,
                               const std::stop_token& stop) {
  const auto identity = node.reader().Identity(stop);
  if (!identity) return identity.error();
  const auto diff_ids = node.ReadDiffIds(images, stop);
  if (!diff_ids) return diff_ids.error();
  const auto in_use = ReadInUse(node.reader(), images, nullptr, stop);
  if (!in_use) return in_use.error();
  DiskUse use;
  // Source: cri-o storage_src.go getSize, cri-dockerd core/convert.go; containerd's is compressed.
  use.bounded = identity->name == "cri-o" || identity->name == "docker";
  use.bounds_only = identity->name + " " + identity->version + " does not report layer sizes";
  if (identity->lists_all_containers)  // cri-dockerd's store belongs to Docker
    use.bounds_only += ", and its store cannot be read: " + why.what;
  if (identity->name == "containerd")
    use.bounds_only =
        "containerd's layers cannot be read: " +
        (why.kind == ErrorKind::kNotFound ? "its own services are not on this socket" : why.what);
  const cri::LayerBounds bounds(images, *diff_ids, use.bounded);
  std::vector<std::vector<ImagePos>> by_account(4);
  for (const ImagePos at : Positions(images)) {
    const Image& image = images[at];
    by_account[(*in_use)[at] ? 0 : image.pinned ? 1 : image.tags.empty() ? 3 : 2].push_back(at);
    const std::array alone{at};
    DiskUse::ImageSpace one{.id = image.id.text(),
                            .name = image.display_name(),
                            .tags = {},
                            .in_use = (*in_use)[at],
                            .pinned = image.pinned,
                            .total = {image.size_bytes, 0, 0, 0},
                            .unique = {},
                            .freed = Bound(bounds.FreesAtMost(alone), use.bounds_only),
                            .survivors = {},
                            .layers = bounds.layers(at),
                            .shared_layers = bounds.shared_layers(at)};
    for (const ImageName& tag : image.tags) one.tags.push_back(tag.text());
    use.images.push_back(std::move(one));
  }
  constexpr std::array kUsageCategories{
      layers::UsageCategory::kInUse, layers::UsageCategory::kPinned, layers::UsageCategory::kIdle,
      layers::UsageCategory::kDangling};
  for (std::size_t at = 0; at < kUsageCategories.size(); ++at)
    use.accounts.push_back({std::string(layers::ToString(kUsageCategories[at])),
                            {bounds.TakesAtMost(by_account[at]).value_or(0), 0, 0, 0},
                            by_account[at].size()});
  std::ranges::sort(use.images, [](const auto& one, const auto& other) {
    if (one.freed.space.bytes != other.freed.space.bytes)
      return one.freed.space.bytes > other.freed.space.bytes;
    return one.name != other.name ? one.name < other.name : one.id < other.id;
  });
  if (!removed.empty()) {
    use.removal.emplace();
    for (const ImagePos at : removed) {
      use.removal->names.push_back(images[at].display_name());
      if ((*in_use)[at]) use.removal->in_use.push_back(use.removal->names.back());
    }
    use.removal->freed = Bound(bounds.FreesAtMost(removed), use.bounds_only);
  }
  return use;
}

void LookAtDisk(RuntimeReader& runtime, DiskUse& use, const std::stop_token& stop) {
  const auto mountpoints = runtime.ImageFilesystems(stop);
  if (!mountpoints) return use.warnings.push_back(mountpoints.error().what);
  if (mountpoints->empty()) return;
  use.directory = mountpoints->front();
  const auto used = UsedOn(use.directory);
  if (!used) return use.warnings.push_back(used.error().what);
  use.disk = {used->bytes, used->inodes, 0, 0};
  use.counts_inodes = used->counts_inodes;
}

Result<std::string> Render(const Options& options, const std::stop_token& stop) {
  const RealClock clock;
  const auto node = OpenNodeRuntime(RuntimeOptionsOf(options), clock, stop);
  if (!node) return node.error();
  RuntimeReader& runtime = (*node)->reader();
  auto listed = runtime.ListImages(stop);
  if (!listed) return listed.error();
  const ByImage<Image> images(*std::move(listed));
  const auto removed = Find(images, options.if_removed);
  if (!removed) return removed.error();
  const auto graph = (*node)->ReadLayers(images, /*configs=*/false, stop);
  DiskUse use;
  if (!graph) {
    if (stop.stop_requested()) return graph.error();
    auto bounds = DescribeBounds(**node, images, *removed, graph.error(), stop);
    if (!bounds) return bounds.error();
    use = *std::move(bounds);
  } else {
    use = Describe(**graph, images);
    if (!options.if_removed.empty()) {
      const auto in_use = ReadInUse(runtime, images, graph->get(), stop);
      if (!in_use) return in_use.error();
      use.removal.emplace();
      for (const ImagePos at : *removed) {
        use.removal->names.push_back(images[at].display_name());
        if ((*in_use)[at]) use.removal->in_use.push_back(use.removal->names.back());
      }
      use.removal->freed = ToFreed((*graph)->FreedBy(*removed));
    }
  }
  LookAtDisk(runtime, use, stop);
  use.node = NodeNameOf(options);
  use.observed_at = FormatTime(clock.Now());
  switch (options.output) {
    case Output::kJson:
      return DiskUseJson(use) + "\n";
    case Output::kYaml:
      return JsonToYaml(DiskUseJson(use)) + "\n";
    case Output::kName: {
      std::string names;
      if (use.removal)
        for (const std::string& name : use.removal->names) names += name + "\n";
      else
        for (const auto& image : use.images) names += image.name + "\n";
      return names;
    }
    default:
      return DiskUseText(use, TextOptionsOf(options));
  }
}

}  // namespace

int RunDf(const Options& options, const std::stop_token& stop) {
  return PrintOutcome(Render(options, stop));
}

}  // namespace imagesweep
