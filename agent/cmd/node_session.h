#pragma once

#include <memory>
#include <stop_token>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/cmd/options.h"
#include "agent/gc/sweeper.h"
#include "agent/model/run_entry.h"

namespace imagesweep {

// One node, connected for one command: runtime, Kubernetes (unless --without-kubernetes), age
// store, sweeper.
class NodeSession {
 public:
  // kInvalid: conflicting options; other kinds: the source that cannot be reached, and the fix.
  static Result<NodeSession> Open(const Options& options, const std::stop_token& stop);
  NodeSession(NodeSession&&) noexcept;
  NodeSession& operator=(NodeSession&&) noexcept;
  ~NodeSession();

  // Reads the file, the ConfigMap, or the defaults, and applies --minimum-age if set.
  Result<ActivePolicy> ReadPolicy(const std::stop_token& stop);
  // The reason why a run under `active` must stop: the policy changed, possibly to suspend, or
  // cannot be read.  Empty: it may continue.
  std::string WhyEnd(const ActivePolicy& active, const std::stop_token& stop);
  // Runs once for a command that removes images: a dry run unless --dry-run=false. Shows the
  // progress on stderr unless --quiet.
  Report Sweep(const ActivePolicy& active, SweepOptions sweep, const std::stop_token& stop);
  Sweeper& sweeper();

 private:
  struct Connections;
  Result<ActivePolicy> ReadPolicyAsWritten(const std::stop_token& stop);
  explicit NodeSession(std::unique_ptr<Connections> parts);
  std::unique_ptr<Connections> parts_;
};

// The recorded removals in the state directory, newest first.  Error: no state directory is set, it
// does not exist, it has no history, or it cannot be read.
Result<std::vector<RemovalEntry>> ReadRemovals(const Options& options, const Clock& clock);

}  // namespace imagesweep
