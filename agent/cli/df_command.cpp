#include <algorithm>

#include "agent/app/layers_disk.h"
#include "agent/cli/commands.h"
#include "agent/cli/connect.h"
#include "agent/cli/render.h"
#include "agent/containerd/collector.h"
#include "agent/cri/runtime.h"
#include "agent/layers/breakdown.h"
#include "agent/layers/sharing.h"
#include "agent/model/image_index.h"
#include "agent/report/df.h"
#include "agent/report/yaml.h"

// df: what lies in the image store on whose account, and what a removal would really free.  Needs
// the runtime alone.

namespace imagesweep {
namespace {

SpaceOnDisk ToSpace(const layers::Reclaim& reclaim) {
  return {reclaim.bytes, reclaim.inodes, reclaim.blobs, reclaim.snapshots};
}

FreedSpace ToFreed(const layers::Freed& freed) {
  return {ToSpace(freed.space), std::string(layers::ToString(freed.certainty)), freed.why};
}

// One image for each text, or the complaint.
Result<std::vector<std::uint32_t>> Find(const std::vector<Image>& images,
                                        const std::vector<std::string>& texts) {
  const ImageIndex index(images);
  std::vector<std::uint32_t> found;
  for (const std::string& text : texts) {
    const auto matches = index.Resolve(text);
    if (matches.size() != 1)
      return Error{ErrorKind::kNotFound, matches.empty() ? "this node has no image \"" + text + "\""
                                                         : "\"" + text + "\" may mean " +
                                                               std::to_string(matches.size()) +
                                                               " images; give an id"};
    found.push_back(matches.front());
  }
  return found;
}

DiskUse Describe(const layers::LayerGraph& graph, const std::vector<Image>& images) {
  DiskUse use;
  const layers::Breakdown breakdown = layers::BreakDown(graph, images);
  for (std::size_t at = 0; at < layers::kAccounts; ++at)
    use.accounts.push_back({std::string(layers::ToString(static_cast<layers::Account>(at))),
                            ToSpace(breakdown.accounts[at])});
  const layers::Sharing sharing = layers::MeasureSharing(graph);
  for (std::uint32_t at = 0; at < images.size(); ++at) {
    const std::array<std::uint32_t, 1> alone{at};
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
  for (const layers::Unread& part : graph.world().unread()) use.unread.push_back(part.why);
  return use;
}

void LookAtDisk(cri::Runtime& runtime, DiskUse& use, const std::stop_token& stop) {
  const auto mountpoints = runtime.ImageFilesystems(stop);
  if (!mountpoints) return use.warnings.push_back(mountpoints.error().what);
  if (mountpoints->empty()) return;
  use.directory = mountpoints->front();
  if (const auto used = UsedOn(use.directory))
    use.disk = {used->bytes, used->inodes, 0, 0};
  else
    use.warnings.push_back(used.error().what);
}

Result<std::string> Render(const Options& options, const std::stop_token& stop) {
  const auto connection = ConnectToRuntime(options, {}, stop);
  if (!connection) return connection.error();
  cri::Runtime runtime(*connection);
  const auto images = runtime.ListImages(stop);
  if (!images) return images.error();
  const auto removed = Find(*images, options.if_removed);
  if (!removed) return removed.error();
  const RealClock clock;
  containerd::Collector collector((*connection)->channel(), clock,
                                  {.timeout = options.timeout, .disk = LayersDisk});
  const auto graph = collector.Read(*images, stop);
  if (!graph) return graph.error();

  DiskUse use = Describe(**graph, *images);
  LookAtDisk(runtime, use, stop);
  if (!options.if_removed.empty()) {
    use.removal.emplace();
    for (const std::uint32_t at : *removed)
      use.removal->names.push_back((*images)[at].display_name());
    use.removal->freed = ToFreed((*graph)->FreedBy(*removed));
  }
  switch (options.output) {
    case Output::kJson:
      return DiskUseJson(use) + "\n";
    case Output::kYaml:
      return JsonToYaml(DiskUseJson(use)) + "\n";
    case Output::kName: {
      std::string names;
      for (const auto& image : use.images) names += image.name + "\n";
      return names;
    }
    default:
      return DiskUseText(use, TextOptionsOf(options));
  }
}

}  // namespace

int RunDf(const Options& options, const std::stop_token& stop) {
  const auto out = Render(options, stop);
  if (!out) {
    PrintError(out.error().what);
    return CodeFor(out.error());
  }
  return PrintResult(*out) ? kExitDone : kExitFailed;
}

}  // namespace imagesweep
