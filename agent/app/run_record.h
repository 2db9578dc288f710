#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "agent/model/image.h"
#include "agent/model/report.h"
#include "agent/state/history.h"

namespace imagesweep {

// What the history keeps of one run's removals, written ahead of each.  Trouble with the history
// becomes a warning of the report and nothing else.
class RemovalJournal {
 public:
  // `history` is null for a dry run.  Both must outlive it.
  RemovalJournal(History* history, Report& report) : history_(history), report_(report) {}

  // Of a batch, before any of it goes.
  void Intend(const std::vector<std::uint32_t>& batch);
  // Of an image that was not intended it says nothing.
  // Leaves it open whether an image is gone whose removal failed: the runtime may have done it, or
  // a part of it, before it failed.
  void Settle(const std::vector<Outcome>& outcomes);
  // With the images that are listed after the run: what is gone is settled as removed, what is
  // there with all its names as not.
  void SettleBy(const std::vector<Image>& listed);

 private:
  Status Intend(std::uint32_t at);

  History* const history_;
  Report& report_;
  std::set<std::uint32_t> intended_;
};

// Adds the finished run, after it has said in the report which images came back.
void KeepRun(Report& report, History& history);

}  // namespace imagesweep
