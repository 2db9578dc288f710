#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/report/document.h"

namespace imagesweep {

// A document of kind SweepReport, with the images that were removed and those that stayed.
// `sweep_report` must outlive it.
struct SweepDocument {
  using Json = document::Json;

  explicit SweepDocument(const Json& sweep_report);

  // The image of an outcome; the outcome itself if the document does not contain the image.
  const Json& ImageOf(const Json& outcome) const;
  // Sizes as the runtime reports them, without regard to shared layers.
  double SizeOfWent() const;

  const Json& report;
  const bool dry_run;
  std::vector<const Json*> went;    // outcomes of removed images; in a dry run, of planned removals
  std::vector<const Json*> stayed;  // outcomes of planned removals that did not happen

  std::map<std::string, const Json*> images;  // by ID
};

}  // namespace imagesweep
