#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/report/documents/short_names.h"

// Reads documents that this program published, also those of older versions.  A field that is
// absent, null, or of another type counts as empty and is not an error.

namespace imagesweep::document {

using Json = nlohmann::json;

const Json& At(const Json& json, const char* key);  // null if absent
std::string Text(const Json& json, const char* key);
bool Flag(const Json& json, const char* key);
double Number(const Json& json, const char* key);
std::vector<std::string> Texts(const Json& list);

// "registry/app:v1" as {"registry/app", "v1"}; a digest is shortened; an image without a name has
// `<none>` as its tag.
std::pair<std::string, std::string> Split(const std::string& name);
// The tags of an image; without tags, a digest or the ShownName of its ID.
std::vector<std::string> NamesOf(const Json& image);

// "all 3 referenced images are present."
std::string AllArePresent(std::size_t referenced);

std::string Bytes(double bytes);                                // "-1.2GiB"
std::string Count(std::size_t count, const std::string& noun);  // "1 pod", "2 pods"

}  // namespace imagesweep::document

namespace imagesweep {

// A document of kind SweepReport, with the images that were removed and those that stayed.
// `sweep_report` must outlive it.
struct SweepDocument {
  using Json = document::Json;

  // Full names: tables have no short names.
  SweepDocument(const Json& sweep_report, bool full_names);

  // The image of an outcome; the outcome itself if the document does not contain the image.
  const Json& ImageOf(const Json& outcome) const;
  // {"nginx", "1.25"}: a name for a table.
  std::pair<std::string, std::string> SplitForTable(const std::string& name) const;
  // Sizes as the runtime reports them, without regard to shared layers.
  double SizeOfWent() const;

  const Json& report;
  const bool dry_run;
  std::vector<const Json*> went;    // outcomes of removed images; in a dry run, of planned removals
  std::vector<const Json*> stayed;  // outcomes of planned removals that did not happen

  std::map<std::string, const Json*> images;  // by ID
  ShortNames short_names;
};

}  // namespace imagesweep
