#include "agent/execute/batch.h"

#include <algorithm>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

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

std::optional<Batch::Seen> Batch::RemoveWhileFresh(SteadyTime looked_at,
                                                   std::vector<std::uint32_t>& left, int may_fail,
                                                   const std::stop_token& stop,
                                                   const std::stop_token& cancel) {
  const std::size_t threads = std::min(remover_.in_flight(), left.size());
  std::mutex mu;
  std::size_t begun = 0;  // of `left`
  int in_hand = 0;
  std::optional<Seen> next;
  bool looked_ahead = threads == 1;  // or about to
  struct Turn {
    std::uint32_t image = 0;
    double window_seconds = 0;  // since the look
  };
  const auto take = [&]() -> std::optional<Turn> {
    const std::scoped_lock guard(mu);
    const auto window = clock_.Steady() - looked_at;
    // What a newer look found counts from now on.
    if (next || begun == left.size() || window > kMaxRecheckWindow || stop.stop_requested())
      return {};
    if (Failures() + in_hand >= may_fail) return {};  // all in hand may fail
    ++in_hand;
    return Turn{left[begun++], std::chrono::duration<double>(window).count()};
  };
  const auto settle = [&](const Turn& turn, const Result<Removal>& answer) {
    const std::scoped_lock guard(mu);
    --in_hand;
    result_.recheck_window_seconds.push_back(turn.window_seconds);
    if (!answer) {
      Settle(turn.image, OutcomeKind::kFailed, answer.error().what);
      result_.outcomes.back().lost = answer.error().kind == ErrorKind::kUnavailable;
    } else {
      Settle(turn.image,
             *answer == Removal::kRemoved ? OutcomeKind::kRemoved : OutcomeKind::kWouldRemove);
    }
  };
  const auto look_ahead = [&] {
    std::vector<std::uint32_t> images;
    {
      const std::scoped_lock guard(mu);
      const auto window = clock_.Steady() - looked_at;
      const bool in_time = begun * kMaxRecheckWindow >= left.size() * window;
      if (looked_ahead || begun == left.size() || in_time || window < kMaxRecheckWindow / 2) return;
      if (stop.stop_requested() || Failures() >= may_fail) return;
      looked_ahead = true;
      images.assign(left.begin() + static_cast<std::ptrdiff_t>(begun), left.end());
    }
    Seen seen = Look(std::move(images), stop);
    const std::scoped_lock guard(mu);
    next = std::move(seen);
  };
  const auto work = [&] {
    while (const auto turn = take()) {
      settle(*turn, remover_.Remove(evidence_.images[turn->image], cancel));
      look_ahead();
    }
  };
  {
    std::vector<std::jthread> others;
    try {
      while (others.size() + 1 < threads) others.emplace_back(work);
    } catch (const std::system_error&) {
      // No more threads for us: those that have begun, and this one.
    }
    work();
  }
  left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(begun));
  return next;
}

Batch::Seen Batch::Look(std::vector<std::uint32_t> images, const std::stop_token& stop) {
  Seen seen{std::move(images), {}};
  seen.result = look_.Look(seen.images, !alone_, evidence_, index_, stop);
  return seen;
}

bool Batch::IsFresh(const Seen& seen) const {
  const auto* looked = std::get_if<Looked>(&seen.result);
  return looked == nullptr || clock_.Steady() - looked->at <= kMaxRecheckWindow;
}

void Batch::Begin(std::vector<std::uint32_t>& images, const std::stop_token& stop) {
  alone_ = images.size() == 1;
  std::vector<const Image*> listed;
  listed.reserve(images.size());
  for (const auto at : images) listed.push_back(&evidence_.images[at]);
  if (auto begun = remover_.BeginBatch(listed, stop); !begun) {
    result_.stopped_early = stop.stop_requested() ? "told to stop" : begun.error().what;
    SpareAll(images, result_.stopped_early);
    return;
  }
  std::vector<std::uint32_t> may_go;
  for (const auto at : images) {
    if (std::string why = remover_.ReasonToSpare(evidence_.images[at]); !why.empty()) {
      Settle(at, OutcomeKind::kSpared, std::move(why));
      result_.outcomes.back().unavailable = true;
    } else {
      may_go.push_back(at);
    }
  }
  images = std::move(may_go);
}

void Batch::Spare(const Seen& seen, std::vector<std::uint32_t>& images) {
  std::vector<std::uint32_t> left;
  const auto& spared = std::get<Looked>(seen.result).spared;
  for (std::size_t i = 0; i < seen.images.size(); ++i) {
    if (std::ranges::find(images, seen.images[i]) == images.end()) continue;
    if (spared[i].empty())
      left.push_back(seen.images[i]);
    else
      Settle(seen.images[i], OutcomeKind::kSpared, spared[i]);
  }
  images = std::move(left);
}

BatchResult Batch::Run(std::vector<std::uint32_t> images, int may_fail, const std::stop_token& stop,
                       const std::stop_token& cancel) {
  result_ = {};
  Begin(images, stop);
  std::optional<Seen> next;
  for (int in_vain = 0, begun_anew = 0; !images.empty();) {
    // The beginning may have taken its time, as copies of images do.
    if (std::string why = reason_to_end_(); !why.empty()) {
      result_.stopped_early = std::move(why);
      SpareAll(images, result_.stopped_early);
      break;
    }
    if (next && !IsFresh(*next)) {  // too old to remove by, not to spare by
      Spare(*std::exchange(next, {}), images);
      continue;
    }
    const Seen seen = next ? *std::exchange(next, {}) : Look(images, stop);
    if (const auto* refusal = std::get_if<Refusal>(&seen.result)) {
      result_.refused = *refusal;
      SpareAll(images, "could not look again: " + refusal->error.what);
      break;
    }
    Spare(seen, images);
    if (images.empty()) break;
    const Looked& looked = std::get<Looked>(seen.result);
    if (!looked.listed.empty() && !remover_.StillHolds(looked.listed)) {
      if (++begun_anew < kMaxLooksInVain)
        Begin(images, stop);
      else
        SpareAll(images, "new images keep coming; left for the next run");
      continue;
    }
    const std::size_t to_go = images.size();
    next = RemoveWhileFresh(looked.at, images, may_fail, stop, cancel);
    if (images.empty()) break;  // whatever the next look found, or could not see
    if (stop.stop_requested()) {
      result_.stopped_early = "told to stop";
      SpareAll(images, result_.stopped_early);
    } else if (next && std::holds_alternative<Refusal>(next->result)) {
      continue;  // that comes before too many failures, which may have the same cause
    } else if (Failures() >= may_fail) {
      result_.out_of_failures = true;
      SpareAll(images, "too many removals failed");
    } else if (images.size() < to_go) {
      in_vain = 0;
    } else if (++in_vain == kMaxLooksInVain) {  // we are held up: each look is too old to act on
      SpareAll(images,
               "the machine is too busy to act within 50ms of the last look; left for the next "
               "run");
    }
  }
  return std::move(result_);
}

}  // namespace imagesweep
