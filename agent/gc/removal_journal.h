#pragma once

#include <set>
#include <string>
#include <vector>

#include "agent/model/image.h"
#include "agent/model/plan.h"
#include "agent/model/report.h"
#include "agent/state/history.h"

namespace imagesweep {

// Writes the removals of one run to the history, each before it begins, so that a later run can
// restore the names of an interrupted one.  A problem with the history never stops a run.
// One thread.
class RemovalJournal {
 public:
  // `history` is null for a dry run.  All must outlive it.
  RemovalJournal(History* history, std::string run, SystemTime started,
                 const ByImage<Image>& images, const ByImage<Decision>& decisions);

  // Before any image of a batch is removed.
  void BeginRemoval(const std::vector<ImagePos>& batch);
  // After a batch.  A failed removal stays open, because the runtime may have removed the image, or
  // some of its names, before it failed.
  void Commit(const std::vector<Outcome>& outcomes);
  // With the images that are listed after the run: an absent image is removed, and an image with
  // all its names is not.
  void Reconcile(const std::vector<Outcome>& outcomes, const std::vector<Image>& listed);

  // What could not be written, for the warnings of the report.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  Status BeginRemoval(ImagePos at);
  void Note(const Status& status);

  History* const history_;
  const std::string run_;
  const SystemTime started_;
  const ByImage<Image>& images_;
  const ByImage<Decision>& decisions_;
  std::set<ImagePos> begun_;
  std::vector<std::string> problems_;
};

// Adds the finished run to the history.  Completes its report first: which images were pulled
// again, and the warnings for `problems` of the journal and of the history.
void RecordRun(Report& report, const std::vector<std::string>& problems, History& history);

}  // namespace imagesweep
