#include "agent/cmd/missing_image.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "agent/cmd/node_session.h"
#include "agent/daemon/restore_selector.h"

namespace imagesweep {
namespace {

constexpr std::size_t kMaxTags = 5;

// "team/app" is the end of "quay.io/team/app".
bool IsRepository(std::string_view repository, std::string_view text) {
  return repository == text ||
         (repository.ends_with(text) && repository[repository.size() - text.size() - 1] == '/');
}

// The tags of the repository in `text`, with or without its registry: "a:v1, a:v2 and 3 more".
std::string OtherTags(const Observation& seen, const std::string& text) {
  const auto colon = text.find(':', text.rfind('/') == std::string::npos ? 0 : text.rfind('/'));
  const std::string path = text.substr(0, std::min(colon, text.find('@')));
  if (path.empty()) return {};
  std::set<std::string> names;
  for (const Image& image : seen.images)
    for (const ImageName& tag : image.tags)
      if (IsRepository(tag.repository(), path)) names.insert(tag.text());
  std::string list;
  std::size_t shown = 0;
  for (const std::string& name : names)
    if (++shown <= kMaxTags) list += (list.empty() ? "" : ", ") + name;
  if (shown > kMaxTags) list += " and " + std::to_string(shown - kMaxTags) + " more";
  return list;
}

// Empty: no removal is recorded, or the history cannot be read, which other commands report.
std::string RemovalOf(const Options& options, const std::string& image) {
  const auto removals = ReadRemovals(options, RealClock());
  if (!removals) return {};
  const auto chosen = ChooseRemovals(*removals, {RestoreSelector::Of::kImage, image});
  if (!chosen || !chosen->front().done) return {};
  const RemovalEntry& its = chosen->front();
  return "run " + its.run + " removed it at " + FormatTime(its.at) + " (" + its.code + ": " +
         its.reason + "); to restore it, run `imagesweep restore --image " + image +
         " --dry-run=false`";
}

}  // namespace

std::string MissingImageText(const Options& options, const std::string& name,
                             const Observation& seen) {
  const std::string missing = "image \"" + name + "\" not found on this node; ";
  if (const std::string removal = RemovalOf(options, name); !removal.empty())
    return missing + removal;
  if (const std::string tags = OtherTags(seen, name); !tags.empty())
    return missing + "available tags: " + tags;
  return missing + "`imagesweep images` lists the images";
}

}  // namespace imagesweep
