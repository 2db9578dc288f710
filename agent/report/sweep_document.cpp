#include "agent/report/sweep_document.h"

namespace imagesweep {

using namespace document;

SweepDocument::SweepDocument(const Json& sweep_report)
    : report(sweep_report), dry_run(Flag(sweep_report, "dryRun")) {
  for (const Json& image : At(report, "images")) images[Text(image, "id")] = &image;
  for (const Json& outcome : At(report, "outcomes")) {
    const std::string kind = Text(outcome, "outcome");
    (kind == "Removed" || kind == "WouldRemove" ? went : stayed).push_back(&outcome);
  }
}

const Json& SweepDocument::ImageOf(const Json& outcome) const {
  const auto found = images.find(Text(outcome, "id"));
  return found == images.end() ? outcome : *found->second;
}

double SweepDocument::SizeOfWent() const {
  double bytes = 0;
  for (const Json* outcome : went) bytes += Number(*outcome, "sizeBytes");
  return bytes;
}

}  // namespace imagesweep
