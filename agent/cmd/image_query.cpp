#include "agent/cmd/image_query.h"

#include <algorithm>
#include <functional>

#include "agent/cmd/image_choice.h"
#include "agent/model/glob.h"
#include "agent/report/documents/listing.h"

namespace imagesweep {
namespace {

constexpr const char* kFilterKeys = "verdict, code, origin, repository, in-use";

std::string KeyOf(const std::string& filter) {
  return filter.substr(0, filter.find('='));
}
std::string ValueOf(const std::string& filter) {
  return filter.substr(filter.find('=') + 1);
}

// Empty for a key that takes any text, and for an unknown key.
std::vector<std::string> ValuesOf(const std::string& key) {
  std::vector<std::string> values;
  if (key == "in-use") values = {"true", "false"};
  if (key == "verdict")
    for (const Verdict verdict : {Verdict::kKeep, Verdict::kRemove, Verdict::kDefer})
      values.emplace_back(ToString(verdict));
  if (key == "origin")
    for (const OriginKind kind :
         {OriginKind::kUnknown, OriginKind::kLocal, OriginKind::kPulled, OriginKind::kRegistry})
      values.emplace_back(ToString(kind));
  if (key == "code")
    for (int code = 0; code <= static_cast<int>(Code::kNoGain); ++code)
      values.emplace_back(ToString(static_cast<Code>(code)));
  return values;
}

std::string Join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string WhyNotRepository(const std::string& value) {
  const auto slash = value.rfind('/');
  if (value.find('@') != std::string::npos ||
      value.find(':', slash == std::string::npos ? 0 : slash) != std::string::npos)
    return "a repository has no tag and no digest; use NAME to select them";
  const auto glob = ImageGlob::Parse(value);
  return glob ? std::string() : glob.error().what;
}

bool IsOfRepository(const Image& image, const std::string& value) {
  const auto glob = ImageGlob::Parse(value);
  const auto matches = [&](const ImageName& name) {
    return GlobMatches(glob->repository(), name.repository());
  };
  return glob &&
         (std::ranges::any_of(image.tags, matches) || std::ranges::any_of(image.digests, matches));
}

bool Matches(const Report& report, ImagePos at, const std::string& filter) {
  const Image& image = report.observation.images[at];
  const Decision& decision = report.plan.decisions[at];
  const std::string key = KeyOf(filter);
  const std::string value = ValueOf(filter);
  if (key == "verdict") return ToString(decision.verdict) == value;
  if (key == "code") return ToString(decision.code) == value;
  if (key == "origin") return ToString(image.origin.kind) == value;
  if (key == "in-use") return (decision.code == Code::kInUse) == (value == "true");
  return IsOfRepository(image, value);
}

}  // namespace

bool IsPattern(const std::string& name) {
  return name.find_first_of("*?") != std::string::npos;
}

Result<std::vector<ImagePos>> ImagesNamed(std::span<const Image> images, const std::string& name) {
  std::vector<ImagePos> named;
  const auto glob = ImageGlob::Parse(name);
  if (glob)
    for (const ImagePos at : Positions(images))
      if (glob->Matches(At(images, at))) named.push_back(at);
  if (named.empty()) named = ImagesMeantBy(images, name);
  // Every ID is a valid argument, but not every ID is a valid pattern.
  if (named.empty() && !glob && !IsHex(name))
    return Error{ErrorKind::kInvalid, "invalid image \"" + name + "\": " + glob.error().what};
  return named;
}

std::string WhyNotFilter(const std::string& text) {
  if (text.find('=') == std::string::npos)
    return "\"" + text + "\" is not KEY=VALUE; valid keys are " + kFilterKeys;
  const std::string key = KeyOf(text);
  const std::string value = ValueOf(text);
  if (key == "repository") {
    const std::string why = WhyNotRepository(value);
    return why.empty() ? why : "invalid repository \"" + value + "\": " + why;
  }
  const auto values = ValuesOf(key);
  if (values.empty()) return "unknown key \"" + key + "\"; valid keys are " + kFilterKeys;
  if (std::ranges::find(values, value) != values.end()) return {};
  return "invalid value \"" + value + "\" of " + key + "; valid values are " + Join(values);
}

std::vector<std::string> FilterChoices() {
  std::vector<std::string> choices;
  for (const std::string key : {"verdict", "code", "origin", "in-use"})
    for (const std::string& value : ValuesOf(key))
      choices.emplace_back(key).append("=").append(value);
  return choices;
}

std::vector<ImagePos> FilterImages(const Report& report, std::vector<ImagePos> images,
                                   std::span<const std::string> filters) {
  std::erase_if(images, [&](ImagePos at) {
    return !std::ranges::all_of(filters, [&](const std::string& one) {
      return std::ranges::any_of(filters, [&](const std::string& other) {
        return KeyOf(other) == KeyOf(one) && Matches(report, at, other);
      });
    });
  });
  return images;
}

std::vector<ImagePos> SortImages(const Report& report, std::vector<ImagePos> images,
                                 const std::string& key, bool reverse) {
  const Observation& seen = report.observation;
  images = ByName(seen, std::move(images));
  const bool descending = key.starts_with('-') != reverse;
  const std::string by = key.starts_with('-') ? key.substr(1) : key;
  const auto sort = [&](const auto& value) {
    if (descending)
      std::ranges::stable_sort(images, std::ranges::greater(), value);
    else
      std::ranges::stable_sort(images, std::ranges::less(), value);
  };
  if (by == "size") sort([&](ImagePos at) { return seen.images[at].size_bytes; });
  if (by == "age") sort([&](ImagePos at) { return seen.ages[at].unused_for; });
  if (by == "last-used") sort([&](ImagePos at) { return seen.ages[at].last_used; });
  if (by == "name" && descending) std::ranges::reverse(images);
  return images;
}

}  // namespace imagesweep
