#include "agent/plan/pattern_warnings.h"

#include <algorithm>
#include <utility>

namespace imagesweep {
namespace {

constexpr std::size_t kMost = 5;
constexpr std::size_t kMostPairs = 200'000;  // of a pattern and an image: milliseconds

// The parser of patterns put the registry in front.
bool NamesNoRegistry(const ImageGlob& glob) {
  return !glob.is_id() && !glob.text().starts_with(glob.repository());
}

bool MatchesAny(const ImageGlob& glob, const std::vector<Image>& images) {
  return std::ranges::any_of(images, [&](const Image& image) { return glob.Matches(image); });
}

// By name, so that it does not depend on the runtime's order.
const Image* FirstMatch(const ImageGlob& glob, const std::vector<Image>& images) {
  const Image* first = nullptr;
  for (const Image& image : images)
    if ((first == nullptr || image.display_name() < first->display_name()) && glob.Matches(image))
      first = &image;
  return first;
}

// What may have been meant: the same path in any registry, or the first word of a registry's name
// ("shop/**" for shop.example/**).
std::vector<std::string> Alternatives(const std::string& written) {
  std::vector<std::string> texts = {"*/" + written};
  const auto slash = written.find('/');
  if (slash == std::string::npos)
    texts.push_back("*/library/" + written);
  else
    texts.push_back(written.substr(0, slash) + ".*" + written.substr(slash));
  return texts;
}

// Empty: no sign of a mistake.
std::string Doubt(const ImageGlob& glob, const std::vector<Image>& images) {
  if (!NamesNoRegistry(glob) || MatchesAny(glob, images)) return {};
  for (const std::string& text : Alternatives(glob.text())) {
    const auto other = ImageGlob::Parse(text);
    if (!other) continue;
    if (const Image* const meant = FirstMatch(*other, images))
      return "\"" + glob.text() + "\" matches no image of this node: without a registry it means " +
             glob.repository() + "; for " + meant->display_name() + " write \"" + text + "\"";
  }
  return {};
}

}  // namespace

std::vector<std::string> PatternWarnings(const Policy& policy, const Observation& seen) {
  std::vector<std::string> warnings;
  std::size_t left = kMostPairs / (seen.images.size() + 1);  // patterns that may be looked at
  const auto look = [&](const std::string& where, const std::vector<ImageGlob>& globs) {
    for (const ImageGlob& glob : globs) {
      if (warnings.size() == kMost || left == 0) return;
      if (NamesNoRegistry(glob)) --left;
      if (const std::string doubt = Doubt(glob, seen.images); !doubt.empty())
        warnings.emplace_back(where).append(": ").append(doubt);
    }
  };
  look("keep.images", policy.keep.images);
  for (const Rule& rule : policy.rules) look("rule \"" + rule.name + "\"", rule.selector.images);
  return warnings;
}

}  // namespace imagesweep
