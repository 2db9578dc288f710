#pragma once

#include <memory>
#include <stop_token>

#include "agent/app/sweeper.h"
#include "agent/cli/options.h"

namespace imagesweep {

// One node, connected for one command: runtime, Kubernetes (or told to do without), ledger,
// sweeper.
class NodeSession {
 public:
  // kInvalid for options that do not go together, else what could not be reached and how to cure
  // it.
  static Result<NodeSession> Open(const Options& options, const std::stop_token& stop);
  NodeSession(NodeSession&&) noexcept;
  NodeSession& operator=(NodeSession&&) noexcept;
  ~NodeSession();

  // The file, the ConfigMap, or the defaults; with --minimum-age where it is given.
  Result<ActivePolicy> ReadPolicy(const std::stop_token& stop);
  // Why a run under `active` must go no further: the policy is another by now, which may say
  // suspend, or cannot be read.  Empty: it may.
  std::string WhyEnd(const ActivePolicy& active, const std::stop_token& stop);
  Sweeper& sweeper();

 private:
  struct Parts;
  Result<ActivePolicy> ReadPolicyAsWritten(const std::stop_token& stop);
  explicit NodeSession(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace imagesweep
