#include "agent/gc/plan/policy_warnings.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace imagesweep {

namespace {

constexpr std::size_t kMost = 5;
constexpr std::size_t kMaxPairs = 500'000;  // pairs of a pattern and an image: milliseconds

constexpr std::size_t kShortId = 12;      // digits, as runtimes print an ID
constexpr std::size_t kFewestDigits = 6;  // fewer are more likely a word than an ID

struct Place {
  std::string name;  // "keep.images"
  const ImageGlob* glob;
  bool protects;
};

std::vector<Place> Places(const Policy& policy) {
  std::vector<Place> places;
  for (const ImageGlob& glob : policy.keep.images) places.push_back({"keep.images", &glob, true});
  for (const Rule& rule : policy.rules)
    for (const ImageGlob& glob : rule.selector.images)
      places.push_back({"rule \"" + rule.name + "\"", &glob, rule.action == RuleAction::kKeep});
  return places;
}

// The pattern's repository and the rest, as they are written.
std::pair<std::string, std::string> SplitWritten(const std::string& written) {
  const auto slash = written.rfind('/');
  const auto end = written.find_first_of(":@", slash == std::string::npos ? 0 : slash + 1);
  if (end == std::string::npos) return {written, {}};
  return {written.substr(0, end), written.substr(end)};
}

// The same pattern with `**` for a `*` that stands alone at its end or at its beginning.
std::vector<std::string> WiderForms(const ImageGlob& glob) {
  if (glob.is_id()) return {};
  const auto [repository, rest] = SplitWritten(glob.text());
  std::vector<std::string> wider;
  if (repository == "*") return {"**" + rest};
  if (repository.ends_with("/*")) wider.push_back(repository + "*" + rest);
  if (repository.starts_with("*/")) wider.push_back("*" + repository + rest);
  if (repository.starts_with("*/") && repository.ends_with("/*"))
    wider.push_back("*" + repository + "*" + rest);
  return wider;
}

// Likely intentions behind a name without a registry: the same path in any registry, or the first
// word of a registry's name ("shop/**" for shop.example/**).
std::vector<std::string> OtherRegistries(const std::string& written) {
  std::vector<std::string> texts = {"*/" + written};
  const auto slash = written.find('/');
  if (slash == std::string::npos)
    texts.push_back("*/library/" + written);
  else
    texts.push_back(written.substr(0, slash) + ".*" + written.substr(slash));
  return texts;
}

class Finder {
 public:
  Finder(const std::vector<Place>& places, const std::vector<Image>& images)
      : places_(places), images_(images), left_(kMaxPairs) {}

  bool exhausted() const { return left_ == 0; }

  // A warning about the pattern.  Empty: no sign of a mistake.
  std::string Doubt(const Place& place) {
    if (place.protects)
      if (std::string doubt = Narrow(*place.glob); !doubt.empty()) return doubt;
    if (!place.glob->names_no_registry() || AnyMatch(place)) return {};
    if (std::string doubt = IsId(*place.glob); !doubt.empty()) return doubt;
    for (const std::string& text : OtherRegistries(place.glob->text())) {
      const Image* const meant = First(text, [](const Image&) { return true; });
      if (meant == nullptr) continue;
      return "\"" + place.glob->text() +
             "\" matches no image on this node: without a registry it means " +
             place.glob->repository() + "; to match " + meant->display_name() + ", write \"" +
             text + "\"";
    }
    return {};
  }

 private:
  std::string Narrow(const ImageGlob& glob) {
    for (const std::string& text : WiderForms(glob)) {
      const Image* const left_out = First(text, [&](const Image& image) { return !Kept(image); });
      if (left_out == nullptr) continue;
      return "\"" + glob.text() + "\" does not match " + left_out->display_name() +
             ": * matches within one path segment" +
             (glob.text().find('/') == std::string::npos
                  ? ", and without a registry it means " + glob.repository()
                  : std::string()) +
             "; to keep it, write \"" + text + "\"";
    }
    return {};
  }
  std::string IsId(const ImageGlob& glob) {
    if (glob.text().size() < kFewestDigits || !IsHex(glob.text())) return {};
    for (const Image& image : images_) {
      const std::string_view id = image.id.text();
      const auto hex = id.substr(id.find(':') == std::string_view::npos ? 0 : id.find(':') + 1);
      if (!Spend() || !hex.starts_with(glob.text())) continue;
      return "\"" + glob.text() + "\" matches no image on this node: it means " +
             glob.repository() + "; to match the image with this ID, write \"sha256:" +
             std::string(hex.substr(0, kShortId)) + "\"";
    }
    return {};
  }
  bool Spend() {
    if (left_ > 0) --left_;
    return left_ > 0;
  }
  bool AnyMatch(const Place& place) {
    return std::ranges::any_of(images_, [&](const Image& image) {
      if (!Spend()) return true;  // unknown: no warning
      return place.protects ? place.glob->Keeps(image) : place.glob->Matches(image);
    });
  }
  // True if any pattern that protects keeps the image.
  bool Kept(const Image& image) {
    return std::ranges::any_of(places_, [&](const Place& place) {
      return place.protects && (!Spend() || place.glob->Keeps(image));
    });
  }
  // The first by name, so that the result does not depend on the runtime's order.
  const Image* First(const std::string& text, const std::function<bool(const Image&)>& wanted) {
    const auto glob = ImageGlob::Parse(text);
    if (!glob) return nullptr;
    const Image* first = nullptr;
    for (const Image& image : images_) {
      if (first != nullptr && first->display_name() <= image.display_name()) continue;
      if (!Spend()) return nullptr;
      if (glob->Matches(image) && wanted(image)) first = &image;
    }
    return first;
  }

  const std::vector<Place>& places_;
  const std::vector<Image>& images_;
  std::size_t left_;  // pairs that may still be compared
};

}  // namespace

std::vector<std::string> PatternWarnings(const Policy& policy, const Observation& seen) {
  std::vector<std::string> warnings;
  const std::vector<Place> places = Places(policy);
  Finder finder(places, seen.images);
  for (const Place& place : places) {
    if (warnings.size() == kMost || finder.exhausted()) break;
    if (const std::string doubt = finder.Doubt(place); !doubt.empty())
      warnings.push_back(place.name + ": " + doubt);
  }
  return warnings;
}

std::vector<std::string> PatternWarnings(const Policy& policy) {
  std::vector<std::string> warnings;
  for (const Place& place : Places(policy)) {
    if (!place.protects || place.glob->is_id()) continue;
    const auto [repository, rest] = SplitWritten(place.glob->text());
    const auto slash = repository.find('/');
    if (repository == "*")
      warnings.push_back(
          place.name + ": \"" + place.glob->text() + "\" matches only " + place.glob->repository() +
          " and no image of another registry; to match every image, write \"**" + rest + "\"");
    else if (slash != std::string::npos && repository.substr(slash) == "/*" &&
             place.glob->repository() == repository)
      warnings.push_back(place.name + ": \"" + place.glob->text() + "\" does not match " +
                         repository.substr(0, slash) +
                         "/team/app, because * matches within one path segment; to match the whole "
                         "registry, write \"" +
                         repository.substr(0, slash) + "/**" + rest + "\"");
  }
  return warnings;
}

namespace {

bool SelectsEveryName(const Selector& selector) {
  return selector.images.empty() && selector.tags.empty() && selector.tag_status == TagStatus::kAny;
}

std::string Called(const Policy& policy, std::size_t at) {
  const std::string place = "rules[" + std::to_string(at) + "]";
  return policy.rules[at].name.empty() ? place : place + " \"" + policy.rules[at].name + "\"";
}

}  // namespace

std::vector<std::string> RuleWarnings(const Policy& policy) {
  std::vector<std::string> warnings;
  const auto& rules = policy.rules;
  for (std::size_t at = 1; at < rules.size(); ++at) {
    const auto same = std::ranges::find(rules.begin(), rules.begin() + static_cast<long>(at),
                                        rules[at].name, &Rule::name);
    const auto first = static_cast<std::size_t>(same - rules.begin());
    if (first < at && !rules[at].name.empty())
      warnings.push_back(Called(policy, at) + " has the same name as rules[" +
                         std::to_string(first) + "], so reports cannot tell them apart");
  }
  const auto all = std::ranges::find_if(rules, SelectsEveryName, &Rule::selector);
  if (all != rules.end())
    for (auto at = static_cast<std::size_t>(all - rules.begin()) + 1; at < rules.size(); ++at)
      warnings.push_back(Called(policy, at) + " has no effect: " +
                         Called(policy, static_cast<std::size_t>(all - rules.begin())) +
                         " before it selects every name");
  const bool always = policy.keep.local_only == LocalOnly::kAlways &&
                      std::ranges::none_of(rules, [](const Rule& rule) {
                        return rule.local_only.value_or(LocalOnly::kAlways) != LocalOnly::kAlways;
                      });
  if (!policy.keep.archive.path.empty() && always)
    warnings.push_back(
        "keep.archive.path has no effect with keep.localOnly: Always, because only images that "
        "cannot be pulled again are archived, and Always keeps all of them");
  return warnings;
}

}  // namespace imagesweep
