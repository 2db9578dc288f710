#include "agent/daemon/policy_choice.h"

#include <algorithm>
#include <utility>

namespace imagesweep {

PolicyChoice::PolicyChoice(std::string base, std::string override_name, Offer offer, OnRead on_read)
    : base_(std::move(base)),
      override_(std::move(override_name)),
      offer_(std::move(offer)),
      on_read_(std::move(on_read)) {}

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

void PolicyChoice::WithoutOverride() {
  const std::scoped_lock lock(mu_);
  override_text_ = Error{ErrorKind::kNotFound, "no override is configured"};
  override_seen_ = SteadyTime::max();
  OfferNow();
}

void PolicyChoice::BaseRead(const Seen& seen) {
  const std::scoped_lock lock(mu_);
  if (seen) base_seen_ = *seen;
  if (seen)
    NotifyRead();
  else if (NoOverride() && on_read_)
    on_read_(seen.error());
}

void PolicyChoice::OverrideRead(const Seen& seen) {
  const std::scoped_lock lock(mu_);
  if (seen) override_seen_ = *seen;
  if (seen)
    NotifyRead();
  else if (on_read_)  // an override may exist now
    on_read_(seen.error());
}

bool PolicyChoice::NoOverride() const {
  return override_text_ && !*override_text_ && override_text_->error().kind == ErrorKind::kNotFound;
}

void PolicyChoice::OfferNow() {
  if (!override_text_) return;  // an override may exist
  if (!NoOverride())
    offer_(*override_text_, override_);
  else if (base_text_)
    offer_(*base_text_, base_);
}

// A source without a text does not confirm that the last text is still valid.
void PolicyChoice::NotifyRead() {
  if (!on_read_ || !override_text_ || !override_seen_) return;
  const std::optional<Text>& used = NoOverride() ? base_text_ : override_text_;
  if (!used) return;
  if (!*used)
    on_read_(used->error());
  else if (!NoOverride())
    on_read_(*override_seen_);
  else if (base_seen_)
    on_read_(std::min(*base_seen_, *override_seen_));
}

}  // namespace imagesweep
