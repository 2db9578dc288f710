#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agent/base/guarded.h"
#include "agent/gc/sweeper.h"

namespace imagesweep {

// The policy in force: the last valid one.  An invalid text never replaces it and never means the
// defaults.  Without a valid policy, nothing is removed.  Any thread.
class PolicyStore {
 public:
  enum class Change { kNone, kLoaded, kRejected };

  // Parses `text`.  kNone if it equals the last text.
  Change Offer(const std::string& text, const std::string& description);
  // The text cannot be read; the last valid policy stays in force.
  Change Unavailable(const std::string& why);

  // Null until a valid policy was offered.
  std::shared_ptr<const ActivePolicy> Active() const;
  // The reason why the last text is not in force; empty: it is.
  std::string Problem() const;

 private:
  struct Current {
    std::shared_ptr<const ActivePolicy> active;
    std::optional<std::string> last_text;
    std::string problem;
  };
  Guarded<Current> state_;
};

// Parses a policy text that came from `description`.
Result<ActivePolicy> ParseActivePolicy(const std::string& text, const std::string& description);
// The policy with another `profile:` in its document.  kInvalid if that contradicts the rest of the
// document.
Result<Policy> WithProfile(const ActivePolicy& active, Profile profile);
// The policy with `age` as every minimumAge in it: its own and those of rules, of
// diskUsage.critical, and of overrides.
Policy WithMinimumAge(Policy policy, Millis age);
// Reads and parses a policy file.  kInvalid: its content is invalid; other kinds: it cannot be
// read.
Result<ActivePolicy> LoadPolicyFile(const std::string& path);
// Reads a file of at most 1 MiB (kInvalid), because no policy is larger.
Result<std::string> ReadTextFile(const std::string& path);

}  // namespace imagesweep
