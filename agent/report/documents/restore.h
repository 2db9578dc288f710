#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/report/documents/text.h"

namespace imagesweep {

// The images of a restore and their results.
struct RestoreReport {
  enum class From {
    kNowhere,  // no source
    kRegistry,
    kArchive,
    kHere,  // the node has the image, but not all its names
  };
  enum class Outcome {
    kWouldRestore,  // --dry-run
    kRestored,
    kAlreadyHere,
    kCannot,  // no source
    kFailed,
  };
  // One possible source of an image.
  struct Source {
    From from = From::kNowhere;
    std::string reference;  // the reference to pull, or the path of the archive
    // No evidence proves that the registry has the image, so the pull may fail.
    bool unproven = false;

    friend bool operator==(const Source&, const Source&) = default;
  };
  struct Image {
    std::string id;
    std::vector<std::string> names, digests;  // before the removal
    std::uint64_t size_bytes = 0;             // as the runtime reported it before the removal
    std::string run;                          // that removed it
    From from = From::kNowhere;
    std::string source;  // the reference to pull, or the path of the archive
    // Tried in this order until one succeeds.  `from` and `source` are those of the first and,
    // after the restore, of the one that succeeded.
    std::vector<Source> sources;
    Outcome outcome = Outcome::kWouldRestore;
    std::string error;               // of kFailed and kCannot
    std::vector<std::string> notes;  // names that were not restored, and the reasons

    // The first name, otherwise the first digest, otherwise the ID.
    const std::string& display_name() const;
  };
  bool dry_run = false;
  std::vector<Image> images;
  std::vector<std::string> warnings;

  std::size_t Count(Outcome outcome) const;
};

std::string_view ToString(RestoreReport::Outcome outcome);  // "Restored"
std::string_view ToString(RestoreReport::From from);        // "registry"

// kind RestoreReport of apiVersion imagesweep/v1alpha1, as the other documents.
std::string RestoreJson(const RestoreReport& report);
// For a terminal: a table, the images that were not restored with reasons, and a summary.
std::string RestoreText(const RestoreReport& report, const TextOptions& options);
// The images that cannot be restored, printed before the start; empty if all can.
std::string CannotComeBackText(const RestoreReport& report);

}  // namespace imagesweep
