#include "agent/kube/watch/rewind_guard.h"

#include <algorithm>
#include <charconv>

namespace imagesweep::kube {
namespace {

// A refused run is repeated after at most a minute, so a list that is still refused at the end of
// this time is accepted within two minutes.
constexpr Millis kGrace = std::chrono::seconds(45);

std::optional<std::uint64_t> Number(const std::string& version) {
  std::uint64_t number = 0;
  const char* end = version.data() + version.size();
  const auto [rest, error] = std::from_chars(version.data(), end, number);
  if (version.empty() || error != std::errc() || rest != end) return std::nullopt;
  return number;
}

}  // namespace

Status RewindGuard::Check(const std::string& listed, const std::string& watched, SteadyTime now) {
  const auto number = Number(listed);
  if (!number) return Done{};  // the server does not order its versions
  const auto watch = Number(watched);
  const std::uint64_t newest = watch && watch != discounted_ ? std::max(newest_, *watch) : newest_;
  if (*number < newest) {
    if (!back_ || *number < back_->version) back_ = Back{*number, now};
    if (now - back_->since < kGrace)
      return Error{ErrorKind::kIncomplete, "the API server went back in time (resourceVersion " +
                                               listed + " after " + std::to_string(newest) +
                                               "); waiting 45 s for a second list"};
    discounted_ = watch;
  }
  back_.reset();
  newest_ = *number;
  return Done{};
}

}  // namespace imagesweep::kube
