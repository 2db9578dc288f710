#include "agent/cli/removals.h"

#include "agent/state/history.h"

namespace imagesweep {

// Reading must not create the directory or the history.
Result<std::vector<RemovalEntry>> ReadRemovals(const Options& options, const Clock& clock) {
  if (options.state_dir.empty())
    return Error{ErrorKind::kInvalid, "--state-dir is empty, so no history is stored"};
  const auto exists = History::Exists(options.state_dir);
  if (!exists)
    return Error{exists.error().kind, exists.error().what +
                                          ": no runs recorded there; set --state-dir to the "
                                          "directory that the agent or `imagesweep sweep` uses"};
  if (!*exists)
    return Error{ErrorKind::kNotFound, "no removal is recorded in " + options.state_dir +
                                           "; set --state-dir to the directory that the agent or "
                                           "`imagesweep sweep` uses"};
  const auto history = History::Open(options.state_dir, clock);
  auto removals = history->Removals({});
  // A failed read must not look like an empty history.
  if (removals && removals->empty() && !history->warnings().empty())
    return Error{ErrorKind::kIncomplete, history->warnings().front()};
  return removals;
}

}  // namespace imagesweep
