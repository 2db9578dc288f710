#include "agent/report/documents/changes.h"

#include <algorithm>
#include <map>
#include <utility>

#include "agent/base/quantity.h"
#include "agent/report/documents/text.h"
#include "agent/report/render/printable.h"

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

bool HasName(const Image& image) {
  return !image.tags.empty() || !image.digests.empty();
}

// An image without tags keeps the name that it had last.
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
      return "Failed";
    case Change::Kind::kSeeing:
      return "Recovered";
  }
  return "Changed";
}

std::vector<Change> ChangeLog::Compare(const Report& before, const Report& after) {
  std::vector<Change> changes;
  auto then = ById(before);
  const auto now = ById(after);
  const std::set<std::string> waited = std::exchange(unnamed_, {});
  for (const std::string& id : waited) then.erase(id);
  for (const auto& [id, known] : now) {
    const Image& image = *known.image;
    const bool used = known.decision->code == Code::kInUse;
    const auto old = then.find(id);
    const bool is_new = old == then.end();
    if (is_new && !HasName(image) && !waited.contains(image.id.text())) {
      unnamed_.insert(image.id.text());
      continue;
    }
    const std::string& name = is_new ? image.display_name() : NameOf(image, *old->second.image);
    if (is_new)
      changes.push_back({Change::Kind::kPulled, name, HumanBytes(image.size_bytes)});
    else if (TagsOf(image) != TagsOf(*old->second.image))
      changes.push_back({Change::Kind::kTagged, name, "now " + TagsOf(image)});
    const bool was_used = !is_new && old->second.decision->code == Code::kInUse;
    if (used && !was_used) changes.push_back({Change::Kind::kUsed, name, known.decision->reason});
    if (was_used && !used)
      changes.push_back({Change::Kind::kReleased, name, "was " + old->second.decision->reason});
  }
  for (const auto& [id, known] : then)
    if (!now.contains(id))
      changes.push_back(
          {Change::Kind::kGone, known.image->display_name(), HumanBytes(known.image->size_bytes)});
  std::ranges::stable_sort(changes, {}, &Change::image);
  return changes;
}

std::vector<Change> ChangeLog::Add(Report report) {
  std::vector<Change> changes;
  if (report.refused) {
    if (!refused_)
      changes.push_back({Change::Kind::kRefused,
                         {},
                         CannotRead(report.refused->source) + ": " + report.refused->error.what});
    refused_ = true;
    return changes;
  }
  if (seen_) changes = Compare(*seen_, report);
  if (std::exchange(refused_, false))
    changes.insert(changes.begin(), {Change::Kind::kSeeing, {}, {}});
  seen_ = std::move(report);
  return changes;
}

std::string ChangeLine(const Change& change, SystemTime at) {
  std::string kind(ToString(change.kind));
  kind.resize(std::max<std::size_t>(kind.size(), 8), ' ');
  std::string line = FormatTime(at).substr(11, 8) + " " + kind;
  if (!change.image.empty()) line += "  " + ShownName(change.image);
  if (!change.detail.empty()) line += "  " + change.detail;
  return Printable(line);
}

}  // namespace imagesweep
