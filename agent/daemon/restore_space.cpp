#include "agent/daemon/restore_space.h"

#include <functional>

#include "agent/base/quantity.h"

namespace imagesweep {
namespace {

constexpr Millis kBetweenLooks{500};

}  // namespace

SpaceGuard::SpaceGuard(const RestoreSpace& space, const Clock& clock, const std::stop_token& stop)
    : space_(space), clock_(clock), forward_(stop, [this] { cancel_.request_stop(); }) {
  if (space_.filesystem == nullptr) return;
  watcher_ = std::jthread([this](const std::stop_token& done) {
    while (clock_.Sleep(kBetweenLooks, done)) {
      auto why = TooLittle(0);
      if (!why) continue;
      {
        const std::scoped_lock lock(mu_);
        too_little_ = std::move(why);
      }
      cancel_.request_stop();
      return;
    }
  });
}

Error SpaceGuard::WhyStopped() {
  const std::scoped_lock lock(mu_);
  return too_little_ ? *too_little_ : Error{ErrorKind::kCancelled, "stopped"};
}

Status SpaceGuard::Begin(std::uint64_t bytes) {
  const std::scoped_lock lock(mu_);
  if (auto why = TooLittle(under_way_ + bytes)) return *std::move(why);
  under_way_ += bytes;
  return Done{};
}

void SpaceGuard::End(std::uint64_t bytes) {
  const std::scoped_lock lock(mu_);
  under_way_ -= bytes;
}

std::optional<Error> SpaceGuard::TooLittle(std::uint64_t bytes) {
  if (space_.filesystem == nullptr) return std::nullopt;
  for (const std::string& mount : space_.mounts) {
    const auto disk = space_.filesystem->Stat(mount);
    if (!disk) return disk.error().Wrap("cannot determine the available space");
    const auto keep = static_cast<std::uint64_t>(static_cast<double>(disk->capacity_bytes) *
                                                 space_.min_available_percent / 100);
    if (disk->available_bytes >= keep && disk->available_bytes - keep >= bytes) continue;
    return Error{ErrorKind::kUnavailable,
                 "not enough space: " + mount + " has " + HumanBytes(disk->available_bytes) +
                     " available, " +
                     (bytes > 0 ? "the restore needs " + HumanBytes(bytes) + ", " : "") + "and " +
                     HumanBytes(keep) + " (" + std::to_string(space_.min_available_percent) +
                     "%) must stay available, because below that the kubelet may evict pods; free "
                     "space, or lower --min-available"};
  }
  return std::nullopt;
}

}  // namespace imagesweep
