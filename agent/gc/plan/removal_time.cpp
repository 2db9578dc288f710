#include "agent/gc/plan/removal_time.h"

#include <algorithm>
#include <vector>

#include "agent/gc/plan/age_limits.h"
#include "agent/gc/plan/planner.h"

namespace imagesweep {
namespace {

constexpr Millis kAround = std::chrono::seconds(1);
constexpr Millis kNever = std::chrono::hours(24 * 365 * 100);

// The node in the future, if only the images in use now stay in use.
class Future {
 public:
  Future(const PlanContext& context, ImagePos image)
      : context_(context), image_(image), seen_(context.seen()) {}

  // The decision of a plan at that time.
  Decision After(Millis passed) {
    seen_.at = context_.seen().at + passed;
    for (const ImagePos at : Positions(seen_.ages)) {
      if (context_.in_use(at)) continue;
      seen_.ages[at].unused_for = context_.age(at).unused_for + passed;
      seen_.ages[at].watched_unused_for = context_.age(at).watched_unused_for + passed;
    }
    return MakePlan(PlanContext(context_.policy(), seen_, context_.graph())).decisions[image_];
  }

  bool GoesAfter(Millis passed) { return After(passed).verdict == Verdict::kRemove; }

 private:
  const PlanContext& context_;
  const ImagePos image_;
  Observation seen_;
};

// The times at which something about this image changes, ascending.
std::vector<Millis> Turns(const PlanContext& context, ImagePos at) {
  const ImageAge& age = context.age(at);
  std::vector<Millis> turns = {Millis::zero(), OldEnoughIn(context, at),
                               MinimumAgeWhenCritical(context, at) - age.watched_unused_for};
  if (const Millis limit = MaximumAge(context, at); limit > Millis::zero() && limit < kNever)
    turns.push_back(limit - age.unused_for + Millis(1));  // the age must exceed the limit
  std::erase_if(turns, [](Millis turn) { return turn < Millis::zero() || turn > kNever; });
  const auto& windows = context.policy().windows;
  for (std::size_t i = 0, ages = turns.size(); i < ages; ++i) {
    const SystemTime then = context.seen().at + turns[i];
    if (AnyContains(windows, then)) continue;
    if (const auto opening = NextOpening(windows, then))
      turns.push_back(std::chrono::ceil<Millis>(*opening - context.seen().at));
  }
  std::ranges::sort(turns);
  return turns;
}

}  // namespace

std::optional<RemovalTime> RemovalByTime(const PlanContext& context, const Plan& plan,
                                         ImagePos image) {
  if (plan.decisions[image].verdict == Verdict::kRemove || context.in_use(image))
    return std::nullopt;
  Future future(context, image);
  if (future.GoesAfter(Millis::zero())) return std::nullopt;  // it does not wait for time
  Millis stays = Millis::zero();                              // a time at which it stays
  for (const Millis turn : Turns(context, image)) {
    if (!future.GoesAfter(turn + kAround)) {
      stays = turn + kAround;
      continue;
    }
    // Another image may have changed earlier.
    Millis goes = turn + kAround;
    if (turn > stays && future.GoesAfter(turn)) goes = turn;
    if (const Millis before = turn - Millis(1); before > stays && !future.GoesAfter(before))
      stays = before;
    while (goes - stays > Millis(1)) {
      const Millis middle = stays + (goes - stays) / 2;
      (future.GoesAfter(middle) ? goes : stays) = middle;
    }
    const bool holds =
        (goes <= kAround || !future.GoesAfter(goes - kAround)) && future.GoesAfter(goes + kAround);
    if (!holds) return std::nullopt;
    return RemovalTime{goes, context.seen().at + goes, future.After(goes + kAround).code};
  }
  return std::nullopt;
}

}  // namespace imagesweep
