#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "agent/gc/remove/validate_evidence.h"
#include "agent/model/evidence.h"

namespace imagesweep {

// Checks each observation, before the plan.  Rechecks use ValidateEvidence() alone.  In addition to
// ValidateEvidence(), which checks one view, it compares with the last good view:
//   - The same sources answered (node, cluster, runtime name, version, socket).  A change aborts
//     one run, and the next run compares with the new sources.
//   - The number of referenced images did not fall by more than half or by more than 20.  If it
//     did, the gate waits for a second view, at least 60 s later, that confirms it.
// One per process.  One thread at a time.
class EvidenceGate {
 public:
  explicit EvidenceGate(Expectations expected) : expected_(std::move(expected)) {}

  // `referenced` is the number of listed images with a reference.
  std::optional<Refusal> Check(const Evidence& evidence, const ImageIndex& index,
                               std::size_t referenced, SteadyTime now);

  const Expectations& expected() const { return expected_; }

 private:
  struct Sources {
    RuntimeIdentity runtime;
    std::string node_name, node_uid, cluster;
    bool operator==(const Sources&) const = default;
  };
  std::optional<Refusal> CheckSources(const Evidence& evidence);
  std::optional<Refusal> CheckDrop(std::size_t referenced, SteadyTime now);

  Expectations expected_;
  std::optional<Sources> sources_;
  std::optional<std::size_t> good_referenced_;
  struct Drop {
    std::size_t referenced;
    SteadyTime since;
  };
  std::optional<Drop> drop_;
};

}  // namespace imagesweep
