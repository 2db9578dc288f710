#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/report/text.h"

namespace imagesweep {

// What a restore is about and what became of it.
struct RestoreReport {
  enum class From {
    kNowhere,  // it cannot come back
    kRegistry,
    kArchive,
    kHere,  // the node has it, but not all its names
  };
  enum class Outcome {
    kWouldRestore,  // --dry-run
    kRestored,
    kAlreadyHere,
    kCannot,  // not from anywhere
    kFailed,
  };
  // One way to get an image back, and what says that it leads anywhere.
  struct Source {
    From from = From::kNowhere;
    std::string reference;  // what is pulled, or the archive's path
    // No evidence says that the registry has the image: a pull is worth a try, no more.
    bool unproven = false;

    friend bool operator==(const Source&, const Source&) = default;
  };
  struct Image {
    std::string id;
    std::vector<std::string> names, digests;  // as they were before it went
    std::uint64_t size_bytes = 0;             // as the runtime said then
    std::string run;                          // that removed it
    From from = From::kNowhere;
    std::string source;  // the reference that is pulled, or the archive's path
    // In the order in which they are tried, until one succeeds; `from` and `source` are the first
    // and, once the image is back, the one that succeeded.
    std::vector<Source> sources;
    Outcome outcome = Outcome::kWouldRestore;
    std::string error;               // of kFailed and kCannot
    std::vector<std::string> notes;  // names that it did not get again, and why

    // Its first name, else its first digest, else its id.
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
// The people's view: a table, what did not come back and why, one line for the end.
std::string RestoreText(const RestoreReport& report, const TextOptions& options);
// What cannot come back, for before it starts; empty when all can.
std::string CannotComeBackText(const RestoreReport& report);

}  // namespace imagesweep
