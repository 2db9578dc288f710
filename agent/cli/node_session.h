#pragma once

#include <memory>
#include <stop_token>

#include "agent/app/sweeper.h"
#include "agent/cli/options.h"

namespace imagesweep {

// One node, connected for one command: runtime, Kubernetes (unless --without-kubernetes), ledger,
// sweeper.
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
  Sweeper& sweeper();

 private:
  struct Parts;
  Result<ActivePolicy> ReadPolicyAsWritten(const std::stop_token& stop);
  explicit NodeSession(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace imagesweep
