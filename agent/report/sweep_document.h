#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/report/document.h"

namespace imagesweep {

// A document of kind SweepReport, and what its page reads off it again and again: what went and
// what did not.  `sweep_report` must outlive it.
struct SweepDocument {
  using Json = document::Json;

  explicit SweepDocument(const Json& sweep_report);

  // The image that an outcome is of; the outcome itself when the document does not have it.
  const Json& ImageOf(const Json& outcome) const;
  // By the runtime's sizes, as if the images shared nothing.
  double SizeOfWent() const;

  const Json& report;
  const bool dry_run;
  std::vector<const Json*> went;    // outcomes; in a dry run of what would go
  std::vector<const Json*> stayed;  // outcomes of what was chosen and is there after all

  std::map<std::string, const Json*> images;  // by id
};

}  // namespace imagesweep
