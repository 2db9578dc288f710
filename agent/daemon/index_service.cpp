#include "agent/daemon/index_service.h"

#include <utility>

#include "agent/base/codec.h"
#include "agent/kube/index/reference_codec.h"

namespace imagesweep {
namespace {

constexpr Millis kFirstRetry = std::chrono::seconds(1);
constexpr Millis kLastRetry = std::chrono::minutes(1);

std::int64_t Count(std::size_t number) {
  return static_cast<std::int64_t>(number);
}

}  // namespace

IndexService::IndexService(Dependencies parts, std::uint64_t seed)
    : parts_(std::move(parts)), backoff_(kFirstRetry, kLastRetry, seed) {}

void IndexService::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) parts_.clock.Sleep(Step(stop), stop);
}

Millis IndexService::Step(const std::stop_token& stop) {
  parts_.status.Beat();
  if (parts_.leads()) {
    // Another leader may have written in between, and agents must see a generation of this leader.
    if (!std::exchange(led_, true)) {
      parts_.writer.Forget();
      digest_.reset();
      published_at_.reset();
      retry_at_.reset();
      backoff_.Reset();
    }
    Lead(stop);
  } else {
    led_ = false;
  }
  return kPollInterval;
}

SystemTime IndexService::WallTime(SteadyTime time) const {
  return parts_.clock.Now() -
         std::chrono::duration_cast<SystemTime::duration>(parts_.clock.Steady() - time);
}

void IndexService::Lead(const std::stop_token& stop) {
  const auto read = parts_.workloads.Read(SteadyTime::min(), stop);
  if (stop.stop_requested()) return;
  const std::string why = read ? "" : read.error().what;
  parts_.status.SetWorkloadsProblem(why);
  if (const bool news = std::exchange(unread_, why) != why; !why.empty()) {
    if (news) parts_.log.Warn("Failed to read workloads", {{"err", why}, {"heartbeat", "stopped"}});
    return;
  }
  const SteadyTime now = parts_.clock.Steady();
  if (retry_at_ && now < *retry_at_) return;
  const auto plain = WriteReferences(read->references);
  if (!plain) return Fail(plain.error());
  std::string digest = Sha256Hex(*plain);
  if (digest_ != digest || Damaged()) {
    if (!published_at_ || now - *published_at_ >= kPace) Publish(*read, std::move(digest), stop);
  } else if (now - written_at_ >= kHeartbeat) {
    Confirm(*read, stop);
  }
}

// Checks only after the watch had time to deliver our own writes.
bool IndexService::Damaged() {
  const kube::WorkloadIndexStore* seen = parts_.seen;
  if (seen == nullptr || seen->lost() || !seen->listed() ||
      parts_.clock.Steady() - written_at_ < kPace)
    return false;
  const std::uint64_t changes = seen->changes();
  if (changes == checked_) return false;
  const auto read = seen->Read();
  if (read) {
    checked_ = changes;
    return false;
  }
  parts_.log.Warn("Workload index is damaged", {{"err", read.error().what}});
  parts_.writer.Forget();  // its view differs from the API server
  return true;
}

void IndexService::Fail(const Error& why) {
  parts_.status.SetPublishProblem(why.what);
  retry_at_ = parts_.clock.Steady() + backoff_.Next();
  parts_.log.Warn("Failed to publish index", {{"err", why.what}});
}

void IndexService::Publish(const WorkloadEvidence& evidence, std::string digest,
                           const std::stop_token& stop) {
  const SteadyTime start = parts_.clock.Steady();
  published_at_ = start;
  const auto published =
      parts_.writer.Publish(evidence.references, WallTime(evidence.as_of), parts_.leads, stop);
  if (!published) {
    if (stop.stop_requested()) return;
    parts_.status.PublishFailed();
    digest_.reset();
    return Fail(published.error());
  }
  backoff_.Reset();
  retry_at_.reset();
  digest_ = std::move(digest);
  written_at_ = parts_.clock.Steady();
  const double seconds = std::chrono::duration<double>(written_at_ - start).count();
  parts_.status.Published(*published, seconds);
  parts_.log.Info("Published index",
                  {{"generation", static_cast<std::int64_t>(published->generation)},
                   {"references", Count(published->references)},
                   {"shards", Count(published->shards)},
                   {"bytes", Count(published->bytes)},
                   {"seconds", seconds}});
  if (published->leftover)
    parts_.log.Warn("Failed to clean up old index shards", {{"err", published->leftover->what}});
}

void IndexService::Confirm(const WorkloadEvidence& evidence, const std::stop_token& stop) {
  const auto status = parts_.writer.Confirm(WallTime(evidence.as_of), parts_.leads, stop);
  if (!status) {
    if (stop.stop_requested()) return;
    // Another writer may have changed the index: only a new set is certain to be complete.
    digest_.reset();
    return Fail(status.error());
  }
  written_at_ = parts_.clock.Steady();
  parts_.status.Confirmed();
}

}  // namespace imagesweep
