#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "agent/base/result.h"

namespace imagesweep {

// Which of two texts is the policy: the override's for as long as that ConfigMap exists, else the
// base's.  An override that cannot be read stands for itself, and so does not let the base in
// force.  Any thread; what is offered is offered in the order in which it came to be known.
class PolicyChoice {
 public:
  using Text = Result<std::string>;
  using Offer = std::function<void(const Text& text, const std::string& description)>;
  // `offer` gets what is the policy now, which may be what it was.
  PolicyChoice(std::string base, std::string override_name, Offer offer);

  void SetBase(const Text& text);
  // kNotFound: there is none.
  void SetOverride(const Text& text);

 private:
  void OfferNow();

  const std::string base_;
  const std::string override_;
  const Offer offer_;
  std::mutex mu_;
  std::optional<Text> base_text_;
  std::optional<Text> override_text_;
};

}  // namespace imagesweep
