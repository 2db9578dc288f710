#include "agent/report/documents/restore.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/base/quantity.h"
#include "agent/model/image.h"
#include "agent/report/documents/document.h"
#include "agent/report/render/printable.h"
#include "agent/report/render/table.h"

namespace imagesweep {
namespace {

using Json = nlohmann::ordered_json;
using RestoreOutcome = RestoreReport::Outcome;

Json ToJson(const RestoreReport::Image& image) {
  return {{"id", image.id},
          {"names", image.names},
          {"digests", image.digests},
          {"sizeBytes", image.size_bytes},
          {"removedByRun", image.run},
          {"from", ToString(image.from)},
          {"source", image.source},
          {"outcome", ToString(image.outcome)},
          {"error", image.error},
          {"notes", image.notes}};
}

std::string Line(const RestoreReport& report) {
  const auto count = [&](RestoreOutcome outcome, const char* what) {
    const std::size_t found = report.Count(outcome);
    return found == 0 ? std::string() : ", " + std::to_string(found) + " " + what;
  };
  std::string line = count(RestoreOutcome::kWouldRestore, "would be restored") +
                     count(RestoreOutcome::kRestored, "restored") +
                     count(RestoreOutcome::kAlreadyHere, "already present") +
                     count(RestoreOutcome::kFailed, "failed") +
                     count(RestoreOutcome::kCannot, "cannot be restored");
  if (line.empty()) return line;
  line = line.substr(2) + ".\n";
  if (report.dry_run && report.Count(RestoreOutcome::kWouldRestore) > 0)
    line += "This was a dry run: no image was restored. To restore images, add --dry-run=false.\n";
  return line;
}

}  // namespace

const std::string& RestoreReport::Image::display_name() const {
  if (!names.empty()) return names.front();
  return digests.empty() ? id : digests.front();
}

std::size_t RestoreReport::Count(Outcome outcome) const {
  return static_cast<std::size_t>(std::ranges::count(images, outcome, &Image::outcome));
}

std::string_view ToString(RestoreOutcome outcome) {
  switch (outcome) {
    case RestoreOutcome::kWouldRestore:
      return "WouldRestore";
    case RestoreOutcome::kRestored:
      return "Restored";
    case RestoreOutcome::kAlreadyHere:
      return "AlreadyHere";
    case RestoreOutcome::kCannot:
      return "CannotComeBack";
    case RestoreOutcome::kFailed:
      break;
  }
  return "Failed";
}

std::string_view ToString(RestoreReport::From from) {
  switch (from) {
    case RestoreReport::From::kRegistry:
      return "registry";
    case RestoreReport::From::kArchive:
      return "archive";
    case RestoreReport::From::kHere:
      return "this node";
    case RestoreReport::From::kNowhere:
      break;
  }
  return "";
}

std::string RestoreJson(const RestoreReport& report) {
  Json images = Json::array();
  for (const auto& image : report.images) images.push_back(ToJson(image));
  return Json({{"apiVersion", "imagesweep/v1alpha1"},
               {"kind", "RestoreReport"},
               {"dryRun", report.dry_run},
               {"images", std::move(images)},
               {"totals",
                {{"images", report.images.size()},
                 {"restored", report.Count(RestoreOutcome::kRestored)},
                 {"wouldRestore", report.Count(RestoreOutcome::kWouldRestore)},
                 {"alreadyHere", report.Count(RestoreOutcome::kAlreadyHere)},
                 {"failed", report.Count(RestoreOutcome::kFailed)},
                 {"cannotComeBack", report.Count(RestoreOutcome::kCannot)}}},
               {"warnings", report.warnings}})
      .dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string RestoreText(const RestoreReport& report, const TextOptions& options) {
  std::vector<std::string> header = {"IMAGE", "SIZE", "FROM", "RESULT"};
  if (options.wide) header.insert(header.end(), {"SOURCE", "RUN"});
  Table table(std::move(header), {{"SIZE", "FROM"}, {}});
  for (const auto& image : report.images) {
    const bool here = image.from == RestoreReport::From::kHere;
    std::vector<std::string> row = {
        ShownName(image.display_name()), here ? "" : HumanBytes(image.size_bytes),
        std::string(ToString(image.from)), std::string(ToString(image.outcome))};
    if (options.wide) row.insert(row.end(), {image.source, image.run});
    table.Add(std::move(row));
  }
  std::string text = table.Render(options.with_header, options.width);
  if (!options.with_header) return text;
  for (const auto& image : report.images) {
    if (!image.error.empty())
      text += Printable(ShownName(image.display_name())) + ": " + Printable(image.error) + "\n";
    for (const std::string& note : image.notes)
      text += Printable(ShownName(image.display_name())) + ": " + Printable(note) + "\n";
  }
  for (const std::string& warning : report.warnings)
    text += "Warning: " + Printable(warning) + "\n";
  return text + Line(report);
}

std::string CannotComeBackText(const RestoreReport& report) {
  const std::size_t count = report.Count(RestoreOutcome::kCannot);
  if (count == 0) return {};
  std::string text = document::Count(count, "image") + " cannot be restored:\n";
  for (const auto& image : report.images)
    if (image.outcome == RestoreOutcome::kCannot)
      text +=
          "  " + Printable(ShownName(image.display_name())) + ": " + Printable(image.error) + "\n";
  return text;
}

}  // namespace imagesweep
