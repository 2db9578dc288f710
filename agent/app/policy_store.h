#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agent/app/sweeper.h"
#include "agent/base/guarded.h"

namespace imagesweep {

// The policy in force: the last good one.  A bad text never replaces it and never means "defaults";
// without a good one yet there is none, and nothing is removed.  Any thread.
class PolicyStore {
 public:
  enum class Change { kNone, kLoaded, kRejected };

  // Parses `text`.  kNone when it is the text that was offered last.
  Change Offer(const std::string& text, const std::string& description);
  // The text could not be had; the last good policy stays.
  Change Unavailable(const std::string& why);

  // Null until a good one was offered.
  std::shared_ptr<const ActivePolicy> Active() const;
  // Why the last text is not in force; empty when it is.
  std::string Problem() const;

 private:
  struct State {
    std::shared_ptr<const ActivePolicy> active;
    std::optional<std::string> last_text;
    std::string problem;
  };
  Guarded<State> state_;
};

// A policy text with where it came from.
Result<ActivePolicy> ParseActivePolicy(const std::string& text, const std::string& description);
// The policy as it would be if its document said `profile:` so.  kInvalid when that contradicts the
// rest of the document.
Result<Policy> WithProfile(const ActivePolicy& active, Profile profile);
// The policy with `age` for every minimumAge in it: its own, those of rules, of
// diskUsage.critical and of overrides.
Policy WithMinimumAge(Policy policy, Millis age);
// Reads and parses a policy file.  kInvalid for its content; another kind when it cannot be read.
Result<ActivePolicy> LoadPolicyFile(const std::string& path);
// The whole file; at most 1 MiB, since no policy is larger (kInvalid).
Result<std::string> ReadTextFile(const std::string& path);

}  // namespace imagesweep
