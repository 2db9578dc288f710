#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/execute/last_look.h"
#include "agent/model/ports.h"
#include "agent/model/report.h"

namespace imagesweep {

// What dropping a plan's names came to.
struct Untagging {
  std::vector<NameOutcome> outcomes;  // one for each of Plan::untags, unless `refused`
  std::optional<Refusal> refused;     // a source was lost: nothing more was dropped
  std::vector<double> recheck_window_seconds;
};

// Drops names like Batch removes images: one last look at some of them, then each of them within 50
// ms of that look, or of another one.
class Untagger {
 public:
  // `remover`: null for a dry run.
  Untagger(LastLook& look, NameRemover* remover, const Clock& clock)
      : look_(look), remover_(remover), clock_(clock) {}

  // Begins no batch once `may_fail` names have failed, and asks before each `reason_to_end` why
  // nothing more is to go; empty: go on.
  Untagging Run(const Plan& plan, const Evidence& evidence, const ImageIndex& index, int may_fail,
                const std::function<std::string()>& reason_to_end, const std::stop_token& stop);

 private:
  // What became of each of `batch`, until the look is too old: those after that are not in it.
  std::vector<NameOutcome> Drop(const Plan& plan, const Evidence& evidence,
                                const std::vector<std::uint32_t>& batch, const Looked& looked,
                                std::vector<double>& windows, const std::stop_token& stop);

  LastLook& look_;
  NameRemover* const remover_;
  const Clock& clock_;
};

}  // namespace imagesweep
