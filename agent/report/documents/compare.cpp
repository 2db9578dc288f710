#include "agent/report/documents/compare.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "agent/report/documents/document.h"

namespace imagesweep {
namespace {

using namespace document;
using Unit = Comparison::Unit;
using OrderedJson = nlohmann::ordered_json;

std::optional<double> Figure(const Json& json, const char* key) {
  if (!At(json, key).is_number()) return std::nullopt;
  return At(json, key).get<double>();
}

// Adds measures, each from both documents.
class Reader {
 public:
  Reader(const Json& before, const Json& after, std::vector<Comparison::Measure>& out)
      : before_(before), after_(after), out_(out) {}

  template <typename Read>
  void Add(const char* name, Unit unit, Read read) {
    Comparison::Measure measure{name, unit, read(before_), read(after_)};
    if (measure.before || measure.after) out_.push_back(std::move(measure));
  }
  void Add(const char* name, Unit unit, const char* part, const char* key) {
    Add(name, unit, [&](const Json& json) { return Figure(At(json, part), key); });
  }

 private:
  const Json &before_, &after_;
  std::vector<Comparison::Measure>& out_;
};

void OfLayers(Reader& reader) {
  reader.Add("Images", Unit::kCount, "totals", "images");
  reader.Add("Layers on disk", Unit::kCount, "totals", "layers");
  reader.Add("Sizes of all images added up", Unit::kBytes, "totals", "apparentBytes");
  reader.Add("On disk, each layer once", Unit::kBytes, "totals", "onDiskBytes");
  reader.Add("Reuse ratio", Unit::kRatio, "totals", "reuseRatio");
  reader.Add("Layer reuse", Unit::kPercent, "totals", "reusePercent");
  reader.Add("Groups of look-alike layers", Unit::kCount, "totals", "lookAlikeGroups");
  reader.Add("Look-alike layers would save", Unit::kBytes, "totals", "savableBytes");
}

std::optional<double> Used(const Json& filesystem) {
  const auto size = Figure(filesystem, "sizeBytes"), left = Figure(filesystem, "availBytes");
  if (!size || !left) return std::nullopt;
  return *size - *left;
}

// The state of the node after the run, or before it if the run removed nothing.
const Json& Left(const Json& report) {
  return At(report, "after").is_null() ? At(report, "before") : At(report, "after");
}

void OfSweeps(Reader& reader) {
  const auto left = [&](const char* name, Unit unit, const char* key) {
    reader.Add(name, unit, [key](const Json& json) { return Figure(Left(json), key); });
  };
  left("Images after the run", Unit::kCount, "images");
  left("Image sizes", Unit::kBytes, "bytes");
  left("Reclaimable", Unit::kBytes, "reclaimableBytes");
  reader.Add("File system used", Unit::kBytes,
             [](const Json& json) { return Used(At(Left(json), "filesystem")); });
  for (const auto& [name, kind] : {std::pair{"Removed", "Removed"},
                                   {"Would be removed", "WouldRemove"},
                                   {"Skipped", "Skipped"},
                                   {"Failed", "Failed"},
                                   {"Still listed", "StillListed"}})
    reader.Add(name, Unit::kCount, [&, its = kind](const Json& json) -> std::optional<double> {
      const Json& outcomes = At(json, "outcomes");
      const auto count = std::ranges::count_if(
          outcomes, [&](const Json& outcome) { return Text(outcome, "outcome") == its; });
      if (count == 0 && std::string_view(its) != "Removed") return std::nullopt;
      return static_cast<double>(count);
    });
  reader.Add("Freed, predicted", Unit::kBytes,
             [](const Json& json) { return Figure(json, "predictedFreedBytes"); });
  reader.Add("Freed, measured", Unit::kBytes,
             [](const Json& json) { return Figure(json, "measuredFreedBytes"); });
}

void OfDiskUse(Reader& reader, const Json& before, const Json& after) {
  reader.Add("Images", Unit::kCount, [](const Json& json) -> std::optional<double> {
    if (!At(json, "images").is_array()) return std::nullopt;
    return static_cast<double>(At(json, "images").size());
  });
  std::vector<std::string> accounts;
  for (const Json* json : {&before, &after})
    for (const Json& account : At(*json, "accounts"))
      if (const auto name = Text(account, "account");
          std::ranges::find(accounts, name) == accounts.end())
        accounts.push_back(name);
  for (const std::string& name : accounts)
    reader.Add(name.c_str(), Unit::kBytes, [&](const Json& json) -> std::optional<double> {
      for (const Json& account : At(json, "accounts"))
        if (Text(account, "account") == name)
          return Figure(account, At(json, "boundsOnly").is_string() ? "bytesAtMost" : "bytes");
      return std::nullopt;
    });
  reader.Add("all accounts", Unit::kBytes, "counted", "bytes");
  reader.Add("inodes of all accounts", Unit::kCount, "counted", "inodes");
  reader.Add("other files", Unit::kBytes, "disk", "otherBytes");
  reader.Add("used on the file system", Unit::kBytes, "disk", "usedBytes");
}

Error Wrong(const NamedDocument& document, std::string_view why) {
  return Error{ErrorKind::kInvalid, document.file + ": " + std::string(why)};
}

constexpr std::string_view kWhich =
    "; `imagesweep analyze --layers -o json`, `imagesweep df -o json` and `imagesweep report -o "
    "json` write documents that can be compared";

Result<Json> Read(const NamedDocument& document) {
  Json json = Json::parse(document.text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return Wrong(document, "is not JSON" + std::string(kWhich));
  const std::string kind = Text(json, "kind");
  if (kind.empty()) return Wrong(document, "is not a document of imagesweep" + std::string(kWhich));
  if (!Text(json, "apiVersion").starts_with("imagesweep/"))
    return Wrong(document, "has apiVersion \"" + Text(json, "apiVersion") + "\", not imagesweep's");
  if (kind != "LayerAnalysis" && kind != "SweepReport" && kind != "DiskUse")
    return Wrong(document,
                 "is of kind " + kind + ", which cannot be compared" + std::string(kWhich));
  return json;
}

Comparison::Side SideOf(const NamedDocument& document, const Json& json) {
  return {document.file, Text(json, "node"), Text(json, "observedAt")};
}

std::string Decimal(double number, const char* format) {
  char text[48];
  std::snprintf(text, sizeof text, format, number);
  return text;
}

std::string Shown(double number, Unit unit) {
  switch (unit) {
    case Unit::kBytes:
      return Bytes(number);
    case Unit::kRatio:
      return Decimal(number, "%.2f");
    case Unit::kPercent:
      return Decimal(number, "%.1f%%");
    case Unit::kCount:
      return Decimal(number, "%.0f");
  }
  return {};
}

std::string Shown(const std::optional<double>& number, Unit unit) {
  return number ? Shown(*number, unit) : "-";
}

std::optional<double> Change(const Comparison::Measure& measure) {
  if (!measure.before || !measure.after) return std::nullopt;
  return *measure.after - *measure.before;
}

// Relative to the value before; empty if that is 0.
std::optional<double> ChangePercent(const Comparison::Measure& measure) {
  const auto change = Change(measure);
  if (!change || *measure.before == 0) return std::nullopt;
  return 100 * *change / std::abs(*measure.before);
}

std::string_view ToString(Unit unit) {
  switch (unit) {
    case Unit::kBytes:
      return "bytes";
    case Unit::kRatio:
      return "ratio";
    case Unit::kPercent:
      return "percent";
    case Unit::kCount:
      return "count";
  }
  return "count";
}

}  // namespace

Result<Comparison> CompareDocuments(const NamedDocument& before, const NamedDocument& after) {
  const auto first = Read(before);
  if (!first) return first.error();
  const auto second = Read(after);
  if (!second) return second.error();
  Comparison comparison;
  comparison.kind = Text(*first, "kind");
  if (Text(*second, "kind") != comparison.kind)
    return Error{ErrorKind::kInvalid, before.file + " is of kind " + comparison.kind + " and " +
                                          after.file + " of kind " + Text(*second, "kind") +
                                          "; both must be of the same kind"};
  comparison.before = SideOf(before, *first);
  comparison.after = SideOf(after, *second);
  Reader reader(*first, *second, comparison.measures);
  if (comparison.kind == "LayerAnalysis") OfLayers(reader);
  if (comparison.kind == "SweepReport") OfSweeps(reader);
  if (At(*first, "boundsOnly").is_string() != At(*second, "boundsOnly").is_string())
    return Error{ErrorKind::kInvalid, before.file + " and " + after.file +
                                          " cannot be compared: one has exact sizes and the other "
                                          "has upper bounds"};
  if (comparison.kind == "DiskUse") OfDiskUse(reader, *first, *second);
  if (comparison.measures.empty())
    return Error{ErrorKind::kInvalid,
                 before.file + " and " + after.file + " have no figures that can be compared"};
  return comparison;
}

Page MakeComparisonPage(const Comparison& comparison) {
  Page page;
  page.title = "Before and after";
  const auto side = [](const char* which, const Comparison::Side& its) {
    std::string text = std::string(which) + its.file;
    if (!its.node.empty()) text += ", node " + its.node;
    if (!its.observed_at.empty()) text += ", " + its.observed_at;
    return text;
  };
  page.head.emplace_back(
      Page::Bullets{{side("Before: ", comparison.before), side("After: ", comparison.after)}});
  Page::Grid grid{{"Measure", "Before", "After", "Change", "Change in %"}, {}};
  for (const Comparison::Measure& measure : comparison.measures) {
    const auto change = Change(measure), percent = ChangePercent(measure);
    std::string difference = "-";
    if (change) difference = (*change > 0 ? "+" : "") + Shown(*change, measure.unit);
    if (change && measure.unit == Unit::kPercent)
      difference = Decimal(*change, "%+.1f") + " points";
    grid.rows.push_back(
        {measure.name, Shown(measure.before, measure.unit), Shown(measure.after, measure.unit),
         std::move(difference),
         percent && measure.unit != Unit::kPercent ? Decimal(*percent, "%+.1f%%") : "-"});
  }
  page.head.emplace_back(std::move(grid));
  if (!comparison.before.node.empty() && !comparison.after.node.empty() &&
      comparison.before.node != comparison.after.node)
    page.head.emplace_back(Page::Paragraph{"The documents are from two different nodes."});
  return page;
}

std::string ComparisonJson(const Comparison& comparison) {
  const auto number = [](const std::optional<double>& value, Unit unit) -> OrderedJson {
    if (!value) return nullptr;
    const bool whole = unit == Unit::kBytes || unit == Unit::kCount;
    if (whole && std::abs(*value) < 9e15) return static_cast<std::int64_t>(std::llround(*value));
    return *value;
  };
  const auto side = [](const Comparison::Side& its) -> OrderedJson {
    return {{"file", its.file}, {"node", its.node}, {"observedAt", its.observed_at}};
  };
  OrderedJson measures = OrderedJson::array();
  for (const Comparison::Measure& measure : comparison.measures)
    measures.push_back({{"name", measure.name},
                        {"unit", ToString(measure.unit)},
                        {"before", number(measure.before, measure.unit)},
                        {"after", number(measure.after, measure.unit)},
                        {"change", number(Change(measure), measure.unit)},
                        {"changePercent", number(ChangePercent(measure), Unit::kPercent)}});
  return OrderedJson({{"apiVersion", "imagesweep/v1alpha1"},
                      {"kind", "Comparison"},
                      {"of", comparison.kind},
                      {"before", side(comparison.before)},
                      {"after", side(comparison.after)},
                      {"measures", std::move(measures)}})
      .dump(2, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace imagesweep
