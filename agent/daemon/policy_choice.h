#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "agent/base/clock.h"
#include "agent/base/result.h"

namespace imagesweep {

// Chooses the policy of two texts: the override while that ConfigMap exists, otherwise the base.
// While the override cannot be read, the base does not come into force.  Any thread; calls `offer`
// in the order of the updates.
class PolicyChoice {
 public:
  using Text = Result<std::string>;
  using Offer = std::function<void(const Text& text, const std::string& description)>;
  // The time when a text was last known to equal its source, or the error of the read.
  using Seen = Result<SteadyTime>;
  using OnRead = std::function<void(const Seen& seen)>;
  // `offer` gets the current policy, which may be unchanged; `on_read` gets the time when both the
  // policy and the absence of an override were last known.
  PolicyChoice(std::string base, std::string override_name, Offer offer, OnRead on_read = {});

  void SetBase(const Text& text);
  // kNotFound: the ConfigMap does not exist.
  void SetOverride(const Text& text);
  // No override is configured.
  void WithoutOverride();

  void BaseRead(const Seen& seen);
  void OverrideRead(const Seen& seen);

 private:
  bool NoOverride() const;
  void OfferNow();
  void NotifyRead();

  const std::string base_;
  const std::string override_;
  const Offer offer_;
  const OnRead on_read_;
  std::mutex mu_;
  std::optional<Text> base_text_;
  std::optional<Text> override_text_;
  std::optional<SteadyTime> base_seen_;
  std::optional<SteadyTime> override_seen_;
};

}  // namespace imagesweep
