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

  // The file, the ConfigMap, or the defaults.
  Result<ActivePolicy> ReadPolicy(const std::stop_token& stop);
  Sweeper& sweeper();

 private:
  struct Parts;
  explicit NodeSession(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace imagesweep
