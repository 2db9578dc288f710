#include "agent/report/documents/document.h"

#include "agent/base/quantity.h"
#include "agent/model/image.h"

namespace imagesweep::document {

const Json& At(const Json& json, const char* key) {
  static const Json kNothing;
  if (!json.is_object()) return kNothing;
  const auto found = json.find(key);
  return found == json.end() ? kNothing : *found;
}

std::string Text(const Json& json, const char* key) {
  const Json& found = At(json, key);
  return found.is_string() ? found.get<std::string>() : std::string();
}

bool Flag(const Json& json, const char* key) {
  return At(json, key).is_boolean() && At(json, key).get<bool>();
}

double Number(const Json& json, const char* key) {
  return At(json, key).is_number() ? At(json, key).get<double>() : 0;
}

std::string Bytes(double bytes) {
  return (bytes < 0 ? "-" : "") +
         HumanBytes(static_cast<std::uint64_t>(bytes < 0 ? -bytes : bytes));
}

std::vector<std::string> Texts(const Json& list) {
  std::vector<std::string> texts;
  for (const Json& item : list)
    if (item.is_string()) texts.push_back(item.get<std::string>());
  return texts;
}

std::string Count(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string AllArePresent(std::size_t referenced) {
  if (referenced == 1) return "the one referenced image is present.";
  return "all " + std::to_string(referenced) + " referenced images are present.";
}

std::pair<std::string, std::string> Split(const std::string& name) {
  if (name.starts_with("<none>")) return {name, "<none>"};
  const auto at = name.find('@');
  if (at != std::string::npos) return {name.substr(0, at), name.substr(at + 1, 19)};
  const auto colon = name.rfind(':');
  const auto slash = name.rfind('/');
  if (colon == std::string::npos || (slash != std::string::npos && colon < slash))
    return {name, ""};
  return {name.substr(0, colon), name.substr(colon + 1)};
}

std::vector<std::string> NamesOf(const Json& image) {
  auto names = Texts(At(image, "names"));
  if (names.empty()) names = Texts(At(image, "digests"));
  if (names.size() > 1 && Texts(At(image, "names")).empty()) names.resize(1);
  if (names.empty()) names.push_back(ShownName(Text(image, "id")));
  return names;
}

}  // namespace imagesweep::document

namespace imagesweep {

using namespace document;

SweepDocument::SweepDocument(const Json& sweep_report, bool full_names)
    : report(sweep_report), dry_run(Flag(sweep_report, "dryRun")) {
  if (full_names) short_names = ShortNames::Full();
  for (const Json& image : At(report, "images")) {
    images[Text(image, "id")] = &image;
    for (const char* list : {"names", "digests"})
      for (const std::string& name : Texts(At(image, list))) short_names.Add(name);
  }
  for (const Json& outcome : At(report, "outcomes")) {
    const std::string kind = Text(outcome, "outcome");
    (kind == "Removed" || kind == "WouldRemove" ? went : stayed).push_back(&outcome);
  }
}

const Json& SweepDocument::ImageOf(const Json& outcome) const {
  const auto found = images.find(Text(outcome, "id"));
  return found == images.end() ? outcome : *found->second;
}

std::pair<std::string, std::string> SweepDocument::SplitForTable(const std::string& name) const {
  return Split(short_names.Of(name));
}

double SweepDocument::SizeOfWent() const {
  double bytes = 0;
  for (const Json* outcome : went) bytes += Number(*outcome, "sizeBytes");
  return bytes;
}

}  // namespace imagesweep
