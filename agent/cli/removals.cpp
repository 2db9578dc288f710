#include "agent/cli/removals.h"

#include "agent/state/history.h"

namespace imagesweep {

// Reading must not make what is not there.
Result<std::vector<RemovalEntry>> ReadRemovals(const Options& options, const Clock& clock) {
  if (options.state_dir.empty())
    return Error{ErrorKind::kInvalid, "--state-dir is empty: nothing is remembered anywhere"};
  const auto exists = History::Exists(options.state_dir);
  if (!exists)
    return Error{exists.error().kind, exists.error().what +
                                          ": no run is remembered there; --state-dir names the "
                                          "directory that the agent or `imagesweep sweep` keeps"};
  if (!*exists)
    return Error{ErrorKind::kNotFound, "no removal is remembered here, in " + options.state_dir +
                                           "; --state-dir names the directory that the agent or "
                                           "`imagesweep sweep` keeps"};
  const auto history = History::Open(options.state_dir, clock);
  auto removals = history->Removals({});
  // What it could not read must not look like nothing to restore.
  if (removals && removals->empty() && !history->warnings().empty())
    return Error{ErrorKind::kIncomplete, history->warnings().front()};
  return removals;
}

}  // namespace imagesweep
