#include "agent/report/documents/layer_analysis.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <span>

#include "agent/base/quantity.h"
#include "agent/model/image.h"
#include "agent/report/documents/document.h"

namespace imagesweep {
namespace {

using Json = nlohmann::ordered_json;

std::string Decimal(double number, const char* format) {
  char text[32];
  std::snprintf(text, sizeof text, format, number);
  return text;
}

// A RUN line may be very long; -o json has all of it.
std::string Short(const std::string& text) {
  constexpr std::size_t kShown = 72;
  if (text.empty()) return "(not known)";
  if (text.size() <= kShown) return text;
  std::size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string Names(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kShown; ++i)
    text += (i == 0 ? "" : ", ") + ShownName(names[i]);
  if (names.size() > kShown) text += " and " + std::to_string(names.size() - kShown) + " more";
  return text;
}

std::string Number(const std::vector<std::string>& names) {
  return std::to_string(names.size());
}

template <typename Item>
std::span<const Item> First(const std::vector<Item>& all, std::size_t limit) {
  return std::span(all).first(std::min(all.size(), limit));
}

class LayerPage {
 public:
  LayerPage(const LayerAnalysis& analysis, std::size_t limit) : all_(analysis), limit_(limit) {}

  Page Make() {
    page_.title = "Layers of " + (all_.node.empty() ? std::string("this node") : all_.node);
    Reuse();
    Heaviest();
    Instructions();
    LookAlikes();
    Twins("One image under several tags", "Tags", all_.many_tags);
    Twins("Images that differ only in their configuration", "Image", all_.same_layers);
    Twins("Base images that differ only in the patch version", "Versions", all_.patch_versions);
    Advise();
    if (!all_.unread.empty()) Add("Not read", Page::Bullets{all_.unread});
    return std::move(page_);
  }

 private:
  template <typename... Blocks>
  void Add(std::string title, Blocks... blocks) {
    Page::Section section{std::move(title), {}};
    (section.blocks.emplace_back(std::move(blocks)), ...);
    page_.sections.push_back(std::move(section));
  }
  void AddGrid(std::string title, Page::Grid grid, std::size_t of, std::string note = {}) {
    if (grid.rows.empty()) return;
    if (of > grid.rows.size())
      note += (note.empty() ? "" : " ") + std::to_string(of - grid.rows.size()) +
              " more; --limit shows them.";
    if (note.empty())
      Add(std::move(title), std::move(grid));
    else
      Add(std::move(title), std::move(grid), Page::Paragraph{std::move(note)});
  }

  void Reuse() {
    Page::Grid grid{{"", ""}, {}};
    grid.header = {"Measure", "Value"};
    grid.rows = {{"Images", std::to_string(all_.images)},
                 {"Layers on disk", std::to_string(all_.layers)},
                 {"Sizes of all images added up", HumanBytes(all_.apparent_bytes)},
                 {"On disk, each layer once", HumanBytes(all_.on_disk_bytes)},
                 {"Reuse ratio", Decimal(all_.ReuseRatio(), "%.2f")},
                 {"Layer reuse", Decimal(all_.ReusePercent(), "%.1f%%")},
                 {"Look-alike layers would save", HumanBytes(all_.SavableBytes())}};
    page_.head.emplace_back(std::move(grid));
    page_.head.emplace_back(
        Page::Paragraph{"Sizes are blocks on disk. This table counts compressed and unpacked "
                        "layers; the tables below count unpacked layers only. Reuse ratio: the "
                        "sizes of all images divided by the space on disk. Layer reuse: the part "
                        "of these sizes that is already on disk for another image."});
    if (all_.without_history > 0)
      page_.head.emplace_back(Page::Paragraph{
          "The instructions of the layers of " + document::Count(all_.without_history, "image") +
          " are not known, because the history in the image configuration does not match the "
          "layers."});
    if (!all_.without_layers.empty())
      page_.head.emplace_back(Page::Paragraph{
          "The analysis leaves out " + document::Count(all_.without_layers.size(), "image") +
          " without unpacked layers: " + Names(all_.without_layers) + "."});
  }

  void Heaviest() {
    Page::Grid grid{{"Size", "Instruction", "In", "Images"}, {}, {{"In"}, "Images"}};
    for (const auto& layer : First(all_.heaviest, limit_))
      grid.rows.push_back({HumanBytes(layer.bytes), Short(layer.instruction), Number(layer.images),
                           Names(layer.images)});
    AddGrid("Heaviest layers", std::move(grid), all_.heaviest.size());
  }

  void Instructions() {
    Page::Grid grid{{"Size", "Layers", "In", "Instruction"}, {}, {{"Layers", "In"}, "Instruction"}};
    for (const auto& one : First(all_.instructions, limit_))
      grid.rows.push_back(
          {HumanBytes(one.bytes), std::to_string(one.layers), Number(one.images), Short(one.text)});
    AddGrid("Heaviest instructions", std::move(grid), all_.instructions.size(),
            "Layers of the same instruction are counted together, without regard to versions and "
            "checksums in it. In: number of images with such a layer.");
  }

  void LookAlikes() {
    Page::Grid grid{{"Saves", "Layers", "Size of one", "Instruction", "Repositories", "Content"},
                    {},
                    {{"Content", "Size of one", "Layers"}, "Repositories"}};
    for (const auto& group : First(all_.look_alikes, limit_))
      grid.rows.push_back({HumanBytes(group.saved_bytes), std::to_string(group.layers),
                           HumanBytes(group.bytes), Short(group.instruction),
                           Names(group.repositories),
                           group.identical          ? "identical"
                           : group.same_instruction ? "different builds"
                                                    : "about the same size"});
    AddGrid(
        "Layers that look alike", std::move(grid), all_.look_alikes.size(),
        "Saves: unpacked size saved by one layer instead of one per repository, if this layer has "
        "the content that all of them need. Content: identical, different builds of one "
        "instruction (diff IDs differ), or about the same size (no more is known).");
  }

  void Twins(const char* title, const char* what, const std::vector<LayerAnalysis::Twins>& twins) {
    Page::Grid grid{{what, "Saves", "In", "Images"}, {}, {{"In"}, "Images"}};
    for (const auto& one : First(twins, limit_))
      grid.rows.push_back({ShownName(one.what), HumanBytes(one.saved_bytes), Number(one.images),
                           Names(one.images)});
    AddGrid(title, std::move(grid), twins.size());
  }

  void Advise() {
    Page::Bullets list;
    for (const auto& one : First(all_.advice, limit_)) list.items.push_back(AdviceText(one));
    if (list.items.empty()) list.items = {"None: no layer is on this disk twice."};
    Add("Advice", std::move(list));
  }

  const LayerAnalysis& all_;
  const std::size_t limit_;
  Page page_;
};

Json ToJson(std::span<const LayerAnalysis::Twins> twins) {
  Json list = Json::array();
  for (const auto& one : twins)
    list.push_back({{"what", one.what}, {"savedBytes", one.saved_bytes}, {"images", one.images}});
  return list;
}

}  // namespace

double LayerAnalysis::ReuseRatio() const {
  if (on_disk_bytes == 0) return 1;
  return static_cast<double>(apparent_bytes) / static_cast<double>(on_disk_bytes);
}

double LayerAnalysis::ReusePercent() const {
  return 100 * (1 - 1 / ReuseRatio());
}

std::uint64_t LayerAnalysis::SavableBytes() const {
  std::uint64_t sum = 0;
  for (const LookAlikes& group : look_alikes) sum += group.saved_bytes;
  return sum;
}

std::string AdviceText(const LayerAnalysis::Advice& advice) {
  const std::string bytes = HumanBytes(advice.bytes);
  const std::string images = document::Count(advice.images.size(), "image");
  const std::string subject = Short(ShownName(advice.subject));
  if (advice.kind == "share-layer")
    return "Save up to " + bytes + ": " + images + " have separate layers from \"" + subject +
           "\" with different content (diff IDs differ). If they can use the same content, build "
           "one base image with this step, and use it for all of them.";
  if (advice.kind == "similar-layers")
    return "Compare " + bytes + ": " + images +
           " have layers of about the same size from build steps like \"" + subject +
           "\". No digest or diff ID shows that they come from one instruction.";
  if (advice.kind == "order-layers")
    return "Save " + bytes + ": " + images + " have identical content from \"" + subject +
           "\" on different parents. Move this step before the steps that differ.";
  if (advice.kind == "heavy-layer")
    return "Check " + bytes + " from \"" + subject + "\" in " + images +
           ". Move content that all of them need to a base image, and leave out content that is "
           "not needed.";
  if (advice.kind == "many-tags")
    return "Tidy up: one image has several tags, " + subject + ". Extra tags take no space.";
  if (advice.kind == "same-layers")
    return "Save " + bytes + ": " + images + " have the same layers as " + subject +
           " and differ only in labels, environment, or time. Build one image.";
  if (advice.kind == "patch-versions")
    return "Save " + bytes + ": " + images + " use different patch versions of one base image, " +
           subject + ". Move them to one version.";
  return advice.kind + ": " + bytes + ", " + subject;
}

Page MakeLayerPage(const LayerAnalysis& analysis, std::size_t limit) {
  return LayerPage(analysis, limit).Make();
}

std::string LayerAnalysisJson(const LayerAnalysis& all, std::size_t limit) {
  Json heaviest = Json::array();
  for (const auto& layer : First(all.heaviest, limit))
    heaviest.push_back({{"chainID", layer.chain_id},
                        {"bytes", layer.bytes},
                        {"instruction", layer.instruction},
                        {"images", layer.images}});
  Json instructions = Json::array();
  for (const auto& one : First(all.instructions, limit))
    instructions.push_back({{"instruction", one.text},
                            {"bytes", one.bytes},
                            {"layers", one.layers},
                            {"images", one.images}});
  Json look_alikes = Json::array();
  for (const auto& group : First(all.look_alikes, limit))
    look_alikes.push_back({{"instruction", group.instruction},
                           {"bytes", group.bytes},
                           {"layers", group.layers},
                           {"identical", group.identical},
                           {"sameInstruction", group.same_instruction},
                           {"savedBytes", group.saved_bytes},
                           {"repositories", group.repositories}});
  Json advice = Json::array();
  for (const auto& one : First(all.advice, limit))
    advice.push_back({{"kind", one.kind},
                      {"bytes", one.bytes},
                      {"subject", one.subject},
                      {"text", AdviceText(one)},
                      {"images", one.images}});
  return Json({{"apiVersion", "imagesweep/v1alpha1"},
               {"kind", "LayerAnalysis"},
               {"node", all.node},
               {"observedAt", all.observed_at},
               {"totals",
                {{"images", all.images},
                 {"layers", all.layers},
                 {"apparentBytes", all.apparent_bytes},
                 {"onDiskBytes", all.on_disk_bytes},
                 {"reuseRatio", all.ReuseRatio()},
                 {"reusePercent", all.ReusePercent()},
                 {"lookAlikeGroups", all.look_alikes.size()},
                 {"savableBytes", all.SavableBytes()},
                 {"imagesWithoutHistory", all.without_history}}},
               {"withoutLayers", all.without_layers},
               {"heaviestLayers", std::move(heaviest)},
               {"heaviestInstructions", std::move(instructions)},
               {"lookAlikes", std::move(look_alikes)},
               {"manyTags", ToJson(First(all.many_tags, limit))},
               {"sameLayers", ToJson(First(all.same_layers, limit))},
               {"patchVersions", ToJson(First(all.patch_versions, limit))},
               {"advice", std::move(advice)},
               {"unread", all.unread}})
      .dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace imagesweep
