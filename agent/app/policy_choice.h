#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "agent/base/clock.h"
#include "agent/base/result.h"

namespace imagesweep {

// Which of two texts is the policy: the override's for as long as that ConfigMap exists, else the
// base's.  An override that cannot be read stands for itself, and so does not let the base in
// force.  Any thread; what is offered is offered in the order in which it came to be known.
class PolicyChoice {
 public:
  using Text = Result<std::string>;
  using Offer = std::function<void(const Text& text, const std::string& description)>;
  // When a text was last known to be the one that its source holds, or why it cannot be read.
  using Seen = Result<SteadyTime>;
  using Sight = std::function<void(const Seen& seen)>;
  // `offer` gets what is the policy now, which may be what it was; `sight` gets when both that and
  // the absence of an override were last known.
  PolicyChoice(std::string base, std::string override_name, Offer offer, Sight sight = {});

  void SetBase(const Text& text);
  // kNotFound: there is none.
  void SetOverride(const Text& text);
  // Nobody looks for an override.
  void WithoutOverride();

  void SightBase(const Seen& seen);
  void SightOverride(const Seen& seen);

 private:
  bool NoOverride() const;
  void OfferNow();
  void TellSight();

  const std::string base_;
  const std::string override_;
  const Offer offer_;
  const Sight sight_;
  std::mutex mu_;
  std::optional<Text> base_text_;
  std::optional<Text> override_text_;
  std::optional<SteadyTime> base_seen_;
  std::optional<SteadyTime> override_seen_;
};

}  // namespace imagesweep
