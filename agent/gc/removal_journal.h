#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "agent/model/image.h"
#include "agent/model/report.h"
#include "agent/state/history.h"

namespace imagesweep {

// Writes the removals of one run to the history, ahead of each removal.  An error of the history
// only adds a warning to the report.
class RemovalJournal {
 public:
  // `history` is null for a dry run.  Both must outlive the journal.
  RemovalJournal(History* history, Report& report) : history_(history), report_(report) {}

  // Records a batch before its removal.
  void BeginRemoval(const std::vector<std::uint32_t>& batch);
  // Records the results of a batch.  Ignores images that Intend did not record.  Leaves failed
  // removals open: the runtime may have removed the image, or a part of it, before the failure.
  void Commit(const std::vector<Outcome>& outcomes);
  // Closes open removals by the images that are listed after the run: as removed if the image is
  // absent, as not removed if it has all its names.
  void Reconcile(const std::vector<Image>& listed);

 private:
  Status BeginRemoval(std::uint32_t at);

  History* const history_;
  Report& report_;
  std::set<std::uint32_t> begun_removals_;
};

// Adds the images that were pulled again to the report, and the report to the history.
void KeepRun(Report& report, History& history);

}  // namespace imagesweep
