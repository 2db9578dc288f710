#include "agent/app/policy_choice.h"

#include <utility>

namespace imagesweep {

PolicyChoice::PolicyChoice(std::string base, std::string override_name, Offer offer)
    : base_(std::move(base)), override_(std::move(override_name)), offer_(std::move(offer)) {}

void PolicyChoice::SetBase(const Text& text) {
  const std::scoped_lock lock(mu_);
  base_text_ = text;
  OfferNow();
}

void PolicyChoice::SetOverride(const Text& text) {
  const std::scoped_lock lock(mu_);
  override_text_ = text;
  OfferNow();
}

void PolicyChoice::OfferNow() {
  if (!override_text_) return;  // there may be one
  const bool none = !*override_text_ && override_text_->error().kind == ErrorKind::kNotFound;
  if (!none)
    offer_(*override_text_, override_);
  else if (base_text_)
    offer_(*base_text_, base_);
}

}  // namespace imagesweep
