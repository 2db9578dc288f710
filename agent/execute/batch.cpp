#include "agent/execute/batch.h"

#include <algorithm>
#include <future>
#include <system_error>

#include "agent/execute/graceful_stop.h"

namespace imagesweep {
void Batch::Settle(std::uint32_t at, OutcomeKind kind, std::string detail) {
  result_.outcomes.push_back({at, kind, std::move(detail)});
}

void Batch::SpareAll(std::vector<std::uint32_t>& left, const std::string& why) {
  for (const auto at : left) Settle(at, OutcomeKind::kSpared, why);
  left.clear();
}

int Batch::Failures() const {
  return static_cast<int>(
      std::ranges::count(result_.outcomes, OutcomeKind::kFailed, &Outcome::kind));
}

void Batch::RemoveWhileFresh(SteadyTime looked_at, std::vector<std::uint32_t>& left, int may_fail,
                             const std::stop_token& stop, const std::stop_token& cancel) {
  struct Call {
    std::optional<Result<Removal>> answer;  // empty: the look was too old by then
    double window_seconds = 0;
  };
  const auto remove = [&](std::uint32_t at) -> Call {
    const auto window = clock_.Steady() - looked_at;
    if (window > kMaxRecheckWindow || stop.stop_requested()) return {};
    return {remover_.Remove(evidence_.images[at], cancel),
            std::chrono::duration<double>(window).count()};
  };
  while (!left.empty() && Failures() < may_fail) {
    std::vector<Call> calls;
    const std::size_t several = std::min(
        {remover_.in_flight(), left.size(), static_cast<std::size_t>(may_fail - Failures())});
    std::vector<std::future<Call>> running;
    try {
      while (running.size() + 1 < several)
        running.push_back(std::async(std::launch::async, remove, left[running.size()]));
    } catch (const std::system_error&) {
      // No more threads for us: those that have begun, and this one.
    }
    const Call own = remove(left[running.size()]);
    calls.reserve(running.size() + 1);
    for (auto& one : running) calls.push_back(one.get());
    calls.push_back(own);
    std::vector<std::uint32_t> again;
    for (std::size_t i = 0; i < calls.size(); ++i) {
      Call& call = calls[i];
      if (!call.answer) {
        again.push_back(left[i]);
        continue;
      }
      result_.recheck_window_seconds.push_back(call.window_seconds);
      if (!*call.answer)
        Settle(left[i], OutcomeKind::kFailed, call.answer->error().what);
      else
        Settle(left[i], **call.answer == Removal::kRemoved ? OutcomeKind::kRemoved
                                                           : OutcomeKind::kWouldRemove);
    }
    left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(calls.size()));
    left.insert(left.begin(), again.begin(), again.end());
    if (!again.empty()) return;
  }
}

BatchResult Batch::Run(std::vector<std::uint32_t> images, int may_fail,
                       const std::stop_token& stop) {
  result_ = {};
  const GracefulStop graceful(stop, clock_);
  std::vector<const Image*> listed;
  listed.reserve(images.size());
  for (const auto at : images) listed.push_back(&evidence_.images[at]);
  if (auto begun = remover_.BeginBatch(listed, stop); !begun) {
    result_.stopped_early = stop.stop_requested() ? "told to stop" : begun.error().what;
    SpareAll(images, result_.stopped_early);
    return std::move(result_);
  }
  std::vector<std::uint32_t> may_go;
  for (const auto at : images) {
    if (std::string why = remover_.ReasonToSpare(evidence_.images[at]); !why.empty())
      Settle(at, OutcomeKind::kSpared, std::move(why));
    else
      may_go.push_back(at);
  }
  images = std::move(may_go);
  for (int in_vain = 0; !images.empty();) {
    // The beginning may have taken its time, as copies of images do.
    if (std::string why = reason_to_end_(); !why.empty()) {
      result_.stopped_early = std::move(why);
      SpareAll(images, result_.stopped_early);
      break;
    }
    const LookResult seen = look_.Look(images, evidence_, index_, stop);
    if (const auto* refusal = std::get_if<Refusal>(&seen)) {
      result_.refused = *refusal;
      SpareAll(images, "could not look again: " + refusal->error.what);
      break;
    }
    const Looked& looked = std::get<Looked>(seen);
    std::vector<std::uint32_t> left;
    for (std::size_t i = 0; i < images.size(); ++i) {
      if (looked.spared[i].empty())
        left.push_back(images[i]);
      else
        Settle(images[i], OutcomeKind::kSpared, looked.spared[i]);
    }
    images = left;
    RemoveWhileFresh(looked.at, images, may_fail, stop, graceful.token());
    if (images.empty()) break;
    if (stop.stop_requested()) {
      result_.stopped_early = "told to stop";
      SpareAll(images, result_.stopped_early);
    } else if (Failures() >= may_fail) {
      result_.out_of_failures = true;
      SpareAll(images, "too many removals failed");
    } else if (images.size() < left.size()) {
      in_vain = 0;
    } else if (++in_vain == kMaxLooksInVain) {  // we are held up: each look is too old to act on
      SpareAll(images,
               "the machine is too busy to act within 50ms of the last look; left for the next "
               "run");
    }
  }
  if (auto ended = remover_.EndBatch(graceful.token()); !ended && result_.stopped_early.empty())
    result_.stopped_early = ended.error().what;
  return std::move(result_);
}

}  // namespace imagesweep
