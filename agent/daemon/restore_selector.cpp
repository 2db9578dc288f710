#include "agent/daemon/restore_selector.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>

#include "agent/model/image_name.h"

namespace imagesweep {
namespace {

constexpr std::size_t kShortestId = 6;

bool HasName(const RemovalEntry& removal, const std::string& name) {
  return std::ranges::find(removal.names, name) != removal.names.end() ||
         std::ranges::find(removal.digests, name) != removal.digests.end();
}

std::string_view Hex(std::string_view id) {
  return id.substr(id.find(':') + 1);  // all of it without a colon
}

bool IdBegins(const RemovalEntry& removal, std::string_view text) {
  return Hex(text).size() >= kShortestId && Hex(removal.id).starts_with(Hex(text)) &&
         (text.find(':') == std::string_view::npos || removal.id.starts_with(text));
}

// Completes "app:v1" to quay.io/team/app:v1, as for images that are present.  Returns the text
// itself if it has a registry, or if no image with that name was removed.
Result<std::string> WholeName(std::span<const RemovalEntry> removals, const std::string& text) {
  const ImageName name = ImageName::Parse(text);
  if (!name.unqualified() || name.tag().empty()) return name.text();
  const std::string end = "/" + std::string(name.short_path()) + ":" + std::string(name.tag());
  std::set<std::string> found;
  for (const RemovalEntry& removal : removals)
    for (const std::string& its : removal.names)
      if (its.ends_with(end)) found.insert(its);
  if (found.empty() || found.contains(name.text())) return name.text();
  if (found.size() > 1)
    return Error{ErrorKind::kInvalid, "\"" + text + "\" matches " + *found.begin() + " and " +
                                          *std::next(found.begin()) + "; specify one of them"};
  return *found.begin();
}

Result<std::vector<RemovalEntry>> OfRun(std::span<const RemovalEntry> removals,
                                        const std::string& run) {
  std::vector<RemovalEntry> chosen;
  for (const RemovalEntry& removal : removals)
    if (removal.run.starts_with(run)) chosen.push_back(removal);
  if (chosen.empty())
    return Error{ErrorKind::kNotFound, "no removal by run \"" + run +
                                           "\" is recorded; `imagesweep history` lists the runs"};
  for (const RemovalEntry& removal : chosen)
    if (removal.run != chosen.front().run)
      return Error{ErrorKind::kInvalid,
                   "several run IDs begin with \"" + run + "\"; specify more characters"};
  return chosen;
}

Result<std::vector<RemovalEntry>> OfImage(std::span<const RemovalEntry> removals,
                                          const std::string& text) {
  // The image that had the name last.
  const auto name = WholeName(removals, text);
  if (!name) return name.error();
  for (const RemovalEntry& removal : removals)
    if (HasName(removal, *name) || removal.id == text) return std::vector<RemovalEntry>{removal};
  std::vector<RemovalEntry> chosen;
  for (const RemovalEntry& removal : removals) {
    if (!IdBegins(removal, text)) continue;
    if (chosen.empty()) chosen.push_back(removal);
    if (removal.id != chosen.front().id)
      return Error{ErrorKind::kInvalid, "\"" + text + "\" matches several images; specify an ID"};
  }
  if (chosen.empty())
    return Error{
        ErrorKind::kNotFound,
        "no removal of \"" + text +
            "\" is recorded; `imagesweep history` lists the runs, and `imagesweep report --run ID` "
            "shows the images that a run removed"};
  return chosen;
}

// Only names with an explicit registry are tried without proof.
bool MayBeTried(const std::string& digest) {
  return !ImageName::Parse(digest).repository().starts_with("docker.io/");
}

std::vector<RestoreReport::Source> SourcesOf(const RemovalEntry& removal,
                                             const std::string& archive) {
  using From = RestoreReport::From;
  std::vector<RestoreReport::Source> sources;
  const bool proved = removal.origin.can_be_pulled() && !removal.origin.pull_by.empty();
  if (proved) {
    sources.push_back({From::kRegistry, removal.origin.pull_by, false});
    // Other repositories may also have it: containerd's label names each one it was pulled from.
    for (const std::string& digest : removal.digests)
      if (digest != removal.origin.pull_by && MayBeTried(digest))
        sources.push_back({From::kRegistry, digest, true});
  }
  if (!archive.empty()) sources.push_back({From::kArchive, archive, false});
  if (!proved)
    for (const std::string& digest : removal.digests)
      if (MayBeTried(digest)) sources.push_back({From::kRegistry, digest, true});
  return sources;
}

std::string WhyFromNowhere(const RemovalEntry& removal, const std::string& archives) {
  std::string why = "no record proves that it was pulled from a registry";
  if (!removal.origin.evidence.empty()) why += " (" + removal.origin.evidence + ")";
  why += archives.empty() ? ", and no archive directory is known"
                          : ", and " + archives + " has no archive of it";
  if (!removal.digests.empty())
    why += "; if a registry has it, pull " + removal.digests.front() + " manually";
  why += "; to build it again, see `imagesweep report --run " + removal.run + "`";
  return why;
}

}  // namespace

Result<std::vector<RemovalEntry>> ChooseRemovals(std::span<const RemovalEntry> removals,
                                                 const RestoreSelector& wish) {
  if (removals.empty())
    return Error{ErrorKind::kNotFound, "no removal is recorded in the state directory"};
  // If the last run ended early, all its removals may be open; it still counts as the last run.
  auto chosen = wish.of == RestoreSelector::Of::kImage ? OfImage(removals, wish.text)
                : wish.of == RestoreSelector::Of::kRun ? OfRun(removals, wish.text)
                                                       : OfRun(removals, removals.front().run);
  if (!chosen) return chosen;
  std::set<std::string> seen;
  std::erase_if(*chosen, [&](const RemovalEntry& one) { return !seen.insert(one.id).second; });
  return chosen;
}

RestoreReport PlanRestore(std::span<const RemovalEntry> removals,
                          const std::function<std::string(const std::string& id)>& archive_of,
                          const std::string& archives) {
  RestoreReport report;
  for (const RemovalEntry& removal : removals) {
    RestoreReport::Image image;
    image.id = removal.id;
    image.names = removal.names;
    image.digests = removal.digests;
    image.size_bytes = removal.size_bytes;
    image.run = removal.run;
    image.sources = SourcesOf(removal, archive_of(removal.id));
    if (image.sources.empty()) {
      image.outcome = RestoreReport::Outcome::kCannot;
      image.error = WhyFromNowhere(removal, archives);
    } else {
      image.from = image.sources.front().from;
      image.source = image.sources.front().reference;
      if (image.sources.front().unproven)
        image.notes.push_back("no record proves that " + image.source +
                              " was pulled from a registry; the pull may fail");
    }
    report.images.push_back(std::move(image));
  }
  return report;
}

}  // namespace imagesweep
