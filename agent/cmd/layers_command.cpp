#include <algorithm>
#include <limits>

#include "agent/cmd/commands.h"
#include "agent/cmd/connect.h"
#include "agent/cmd/render.h"
#include "agent/imagestore/analysis/bloat.h"
#include "agent/imagestore/analysis/instruction.h"
#include "agent/report/documents/layer_analysis.h"
#include "agent/report/render/yaml.h"

// analyze --layers: shows how images share layers, and where they could share more.  Needs only
// containerd, not Kubernetes.

namespace imagesweep {
namespace {

// Look-alikes and advice ignore smaller layers.
constexpr std::uint64_t kMinBytes = std::uint64_t{1} << 20;

class Describer {
 public:
  Describer(const layers::Bloat& bloat, const ByImage<Image>& images)
      : bloat_(bloat), images_(images) {}

  LayerAnalysis Describe() const {
    LayerAnalysis analysis;
    analysis.images = images_.size();
    analysis.layers = bloat_.chains.layers.size();
    analysis.apparent_bytes = bloat_.sharing.apparent;
    analysis.on_disk_bytes = bloat_.sharing.on_disk;
    analysis.without_history = bloat_.without_history;
    for (const ImagePos at : Positions(images_))
      if (bloat_.chains.of_image[at].empty())
        analysis.without_layers.push_back(images_[at].display_name());
    std::ranges::sort(analysis.without_layers);
    for (const std::uint32_t at : bloat_.heaviest) {
      const layers::LayerUse& layer = bloat_.chains.layers[at];
      analysis.heaviest.push_back({layer.chain_id,
                                   std::string(layers::Instruction(layer.created_by)), layer.bytes,
                                   Names(layer.images)});
    }
    for (const layers::BuildLine& line : bloat_.lines)
      analysis.instructions.push_back(
          {line.text, line.bytes, line.layers.size(), Names(line.images)});
    for (const layers::LookAlikes& group : bloat_.look_alikes)
      analysis.look_alikes.push_back(
          {group.instruction, bloat_.chains.layers[group.layers.front()].bytes, group.layers.size(),
           group.repositories, group.identical, group.saved, group.same_instruction});
    for (const layers::Advice& one : bloat_.advice) {
      const auto names = Names(one.images);
      analysis.advice.push_back(
          {std::string(layers::ToString(one.kind)), one.bytes, one.subject, names});
      if (one.kind == layers::AdviceKind::kManyTags)
        analysis.many_tags.push_back({one.subject, one.bytes, names});
      if (one.kind == layers::AdviceKind::kSameLayers)
        analysis.same_layers.push_back({one.subject, one.bytes, names});
      if (one.kind == layers::AdviceKind::kPatchVersions)
        analysis.patch_versions.push_back({one.subject, one.bytes, names});
    }
    return analysis;
  }

 private:
  std::vector<std::string> Names(const std::vector<ImagePos>& positions) const {
    std::vector<std::string> names;
    names.reserve(positions.size());
    for (const ImagePos at : positions) names.push_back(images_[at].display_name());
    std::ranges::sort(names);
    return names;
  }

  const layers::Bloat& bloat_;
  const ByImage<Image>& images_;
};

Result<std::string> Render(const Options& options, const std::stop_token& stop) {
  const RealClock clock;
  const auto runtime = OpenNodeRuntime(RuntimeOptionsOf(options), clock, stop);
  if (!runtime) return runtime.error();
  auto listed = (*runtime)->reader().ListImages(stop);
  if (!listed) return listed.error();
  const ByImage<Image> images(*std::move(listed));
  const auto graph = (*runtime)->ReadLayers(images, /*configs=*/true, stop);
  if (!graph && graph.error().kind == ErrorKind::kNotFound)
    return Error{ErrorKind::kNotFound,
                 "this runtime does not report layer sizes, and its store cannot be read"
                 " (`imagesweep df` shows upper bounds): " +
                     graph.error().what};
  if (!graph) return graph.error();

  const layers::Bloat bloat = layers::FindBloat(
      **graph, images,
      {.heaviest = std::numeric_limits<std::size_t>::max(), .min_bytes = kMinBytes});
  LayerAnalysis analysis = Describer(bloat, images).Describe();
  analysis.node = NodeNameOf(options);
  analysis.observed_at = FormatTime(clock.Now());
  for (const layers::Unread& part : (*graph)->metadata().unread())
    analysis.unread.push_back(part.why);
  switch (options.output) {
    case Output::kJson:
      return LayerAnalysisJson(analysis, options.limit) + "\n";
    case Output::kYaml:
      return JsonToYaml(LayerAnalysisJson(analysis, options.limit)) + "\n";
    case Output::kMarkdown:
    case Output::kTable:
    case Output::kWide:
    case Output::kName:
      break;
  }
  return PageText(options, MakeLayerPage(analysis, options.limit));
}

}  // namespace

int RunAnalyzeLayers(const Options& options, const std::stop_token& stop) {
  return PrintOutcome(Render(options, stop));
}

}  // namespace imagesweep
