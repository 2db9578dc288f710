#include "agent/daemon/removal_mode.h"

#include <utility>

#include "agent/telemetry/events.h"

namespace imagesweep {

RemovalModeWatch::RemovalModeWatch(bool force_dry_run, Log& log, Publish publish)
    : force_dry_run_(force_dry_run), log_(log), publish_(std::move(publish)) {}

void RemovalModeWatch::PolicyLoaded(std::shared_ptr<const ActivePolicy> active) {
  const std::scoped_lock lock(mu_);
  active_ = std::move(active);
  ReportPolicy(std::exchange(reported_, ModeNow()));
}

void RemovalModeWatch::LabelsRead(const NodeLabels& labels) {
  const std::scoped_lock lock(mu_);
  const bool awaited = !labels_.has_value();
  labels_ = labels;
  if (active_ == nullptr) return;
  const bool reported_without_them = awaited && !active_->policy.overrides.empty();
  if (reported_ == ModeNow() && !reported_without_them) return;
  ReportPolicy(std::exchange(reported_, ModeNow()));
}

RemovalModeWatch::Mode RemovalModeWatch::ModeNow() const {
  const Override* const found = labels_ ? active_->policy.OverrideFor(*labels_) : nullptr;
  const Policy& policy = found != nullptr ? *found->policy : active_->policy;
  return {force_dry_run_ || policy.dry_run, policy.suspend};
}

void RemovalModeWatch::ReportPolicy(const std::optional<Mode>& before) {
  const Mode now = *reported_;
  const Log::Fields source = {{"source", active_->source.description},
                              {"sha256", active_->source.sha256}};
  if (before && before->dry_run != now.dry_run)
    log_.Info(now.dry_run ? "Turned dry run on" : "Turned dry run off", source);
  if (before && before->suspended != now.suspended)
    log_.Info(now.suspended ? "Suspended removals" : "Resumed removals", source);
  const bool awaits_labels = !force_dry_run_ && !labels_ && !active_->policy.overrides.empty();
  publish_(PolicyLoadedEvent(active_->source, now.dry_run, now.suspended, before && before != now,
                             awaits_labels));
}

}  // namespace imagesweep
