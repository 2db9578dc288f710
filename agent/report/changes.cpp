#include "agent/report/changes.h"

#include <algorithm>
#include <map>
#include <utility>

#include "agent/base/quantity.h"
#include "agent/report/printable.h"

namespace imagesweep {
namespace {

struct Known {
  const Image* image;
  const Decision* decision;
};

std::map<std::string_view, Known> ById(const Report& report) {
  std::map<std::string_view, Known> known;
  for (const Decision& decision : report.plan.decisions) {
    const Image& image = report.observation.images[decision.image];
    known[image.id.text()] = {&image, &decision};
  }
  return known;
}

std::string TagsOf(const Image& image) {
  std::string text;
  for (const ImageName& tag : image.tags) text += (text.empty() ? "" : " ") + tag.text();
  return text.empty() ? "no tag" : text;
}

// The name it had last is what people know it by.
const std::string& NameOf(const Image& now, const Image& before) {
  return now.tags.empty() ? before.display_name() : now.display_name();
}

}  // namespace

std::string_view ToString(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::kPulled:
      return "Pulled";
    case Change::Kind::kGone:
      return "Gone";
    case Change::Kind::kUsed:
      return "Used";
    case Change::Kind::kReleased:
      return "Released";
    case Change::Kind::kTagged:
      return "Tagged";
    case Change::Kind::kRefused:
      return "Refused";
    case Change::Kind::kSeeing:
      return "Seeing again";
  }
  return "Changed";
}

std::vector<Change> ChangesBetween(const Report& before, const Report& after) {
  std::vector<Change> changes;
  if (after.refused && !before.refused)
    changes.push_back(
        {Change::Kind::kRefused, {}, after.refused->source + ": " + after.refused->error.what});
  if (before.refused && !after.refused) changes.push_back({Change::Kind::kSeeing, {}, {}});
  if (before.refused || after.refused) return changes;
  const auto then = ById(before);
  const auto now = ById(after);
  for (const auto& [id, known] : now) {
    const auto old = then.find(id);
    if (old == then.end()) {
      changes.push_back({Change::Kind::kPulled, known.image->display_name(),
                         HumanBytes(known.image->size_bytes)});
      continue;
    }
    const std::string& name = NameOf(*known.image, *old->second.image);
    if (TagsOf(*known.image) != TagsOf(*old->second.image))
      changes.push_back({Change::Kind::kTagged, name, "now " + TagsOf(*known.image)});
    const bool used = known.decision->code == Code::kInUse;
    if (used == (old->second.decision->code == Code::kInUse)) continue;
    changes.push_back({used ? Change::Kind::kUsed : Change::Kind::kReleased, name,
                       used ? known.decision->reason : old->second.decision->reason});
  }
  for (const auto& [id, known] : then)
    if (!now.contains(id))
      changes.push_back(
          {Change::Kind::kGone, known.image->display_name(), HumanBytes(known.image->size_bytes)});
  std::ranges::stable_sort(changes, {}, [](const Change& change) { return change.image; });
  return changes;
}

std::string ChangeLine(const Change& change, SystemTime at) {
  std::string kind(ToString(change.kind));
  kind.resize(std::max<std::size_t>(kind.size(), 8), ' ');
  std::string line = FormatTime(at).substr(11, 8) + " " + kind;
  if (!change.image.empty()) line += "  " + change.image;
  if (!change.detail.empty()) line += "  " + change.detail;
  return Printable(line);
}

}  // namespace imagesweep
