#include <gtest/gtest.h>

#include <array>
#include <random>

#include "agent/state/records.h"
#include "tests/support/images.h"

namespace imagesweep {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kImages = 3;

// A node with an agent that stops and starts, commands beside it, and containers that may stay
// unseen. A simulation knows when each image was really used, and when nothing watched. It shares
// only input values with the arithmetic under test.
class NodeHistory {
 public:
  explicit NodeHistory(std::uint64_t seed) : random_(seed), accepts_(OneIn(3)) {
    for (std::size_t i = 0; i < kImages; ++i) {
      images_.push_back(
          Img("i" + std::to_string(i), {"registry.example/i" + std::to_string(i) + ":1"}));
      last_use_[i] = unwatched_at_ = steady_;
    }
    wall_ = steady_ + hours(24 * 365 * 50);
    identity_.machine_id = OneIn(4) ? "" : "machine";
    identity_.node_uid = OneIn(4) ? "" : "uid";
  }

  void Play() {
    for (int step = 0; step < 25 && !testing::Test::HasFailure(); ++step) Step();
  }
  int observations() const { return observations_; }

 private:
  bool OneIn(std::uint64_t n) { return random_() % n == 0; }
  Nanos Some(Nanos most) {
    return Nanos(static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(most.count())));
  }

  void Pass(Nanos time) {
    steady_ += time;
    wall_ += time;
    if (watching_) watched_total_ += time;
    if (!watching_) unwatched_at_ = steady_;
    for (std::size_t i = 0; i < kImages; ++i)
      if (running_[i]) last_use_[i] = steady_;
  }

  void Step() {
    switch (random_() % 16) {
      case 0:
      case 1:
      case 2:
        return Pass(OneIn(4) ? Some(hours(30)) : Some(minutes(20)));
      case 3:
        return Toggle(random_() % kImages);
      case 4: {  // appears and disappears between two steps
        const auto i = random_() % kImages;
        if (running_[i]) return;
        Toggle(i);
        Pass(Some(seconds(3)));
        return Toggle(i);
      }
      case 5:
        return agent_ ? StopAgent() : StartAgent();
      case 6:
        return watching_ ? LoseEvents() : Connect();
      case 7:
        return WriteUses();
      case 8:
        return JumpWallClock();
      case 9:
        return OneIn(4) ? Reboot() : Pass(Some(minutes(90)));
      case 10:
        return OneIn(4) ? CopyToAnotherNode() : WriteUses();
      case 11:
      case 12:
      case 13:
        if (agent_) return Observe(/*by_agent=*/true, false);
        return StartAgent();
      default:
        return Observe(/*by_agent=*/false, accepts_ && OneIn(2));
    }
  }

  void Toggle(std::size_t i) {
    running_[i] = !running_[i];
    last_use_[i] = steady_;
    if (running_[i] && watching_) Hear(i);
  }
  void Hear(std::size_t i) {
    pending_[i] = true;
    unwritten_[i] = true;
  }
  void StartAgent() {
    if (agent_) return;
    agent_ = ++processes_;
    if (OneIn(2)) Connect();
  }
  void StopAgent() {
    LoseEvents();
    agent_ = 0;
    pending_ = unwritten_ = {};
  }
  // A subscription, followed by the list of containers.
  void Connect() {
    if (!agent_ || watching_) return;
    unwatched_at_ = steady_;
    watching_ = true;
    since_ = steady_;
    mark_is_written_ = false;
    for (std::size_t i = 0; i < kImages; ++i)
      if (running_[i]) Hear(i);
  }
  void LoseEvents() {
    if (!watching_) return;
    watching_ = false;
    unwatched_at_ = steady_;
  }
  void WriteUses() {
    if (!agent_) return;
    for (std::size_t i = 0; i < kImages; ++i)
      if (unwritten_[i]) {
        file_.uses.push_back(images_[i].tags.front().text());
        recorded_use_[i] = watched_total_;
      }
    unwritten_ = {};
    if (!watching_) return;
    file_.watch = WatchMark{boot_, since_};
    mark_is_written_ = true;
  }
  void JumpWallClock() { wall_ += OneIn(2) ? Some(hours(24 * 400)) : -Some(hours(24 * 400)); }
  void Reboot() {
    StopAgent();
    running_ = {};
    Pass(Some(hours(3)));
    boot_ = "boot" + std::to_string(++boots_);
    steady_ = Some(minutes(5));
    unwatched_at_ = steady_;
    for (auto& use : last_use_) use = std::min(use, steady_);
  }
  // A template with state in it, on another machine: times watched there have no meaning here.
  void CopyToAnotherNode() {
    Reboot();
    // At least one of the known facts differs.
    const bool has_uid = !identity_.node_uid.empty();
    std::string& other = has_uid && (OneIn(2) || identity_.machine_id.empty())
                             ? identity_.node_uid
                             : identity_.machine_id;
    if (!other.empty()) other = "another" + std::to_string(boots_);
    watched_total_ = Nanos::zero();
    recorded_use_ = {};
  }

  void Observe(bool by_agent, bool accepts) {
    const int process = by_agent ? agent_ : ++processes_;
    const ObservationTime now{boot_, steady_, wall_, {}, {}, {}};
    WatchedTime watched{{}, accepts};
    const bool all_written = agent_ && watching_ && mark_is_written_ && unwritten_ == Flags{};
    if (by_agent && watching_) watched.since = since_;
    if (!by_agent && all_written && file_.watch && file_.watch->boot_id == boot_)
      watched.since = file_.watch->since;
    const bool ours = file_.observation && last_process_ == process;
    if (file_.observation && !ours &&
        !OfThisNode(file_.node, file_.observation->boot_id, identity_, boot_)) {
      file_.observation.reset();
      file_.images.clear();
    }
    std::vector<bool> in_use(kImages);
    for (std::size_t i = 0; i < kImages; ++i) {
      in_use[i] = running_[i] || (by_agent && pending_[i]);
      if (in_use[i]) recorded_use_[i] = watched_total_;
    }
    MergedObservations merged = MergeObservations(images_, in_use);
    MarkUses(images_, file_.uses, merged);
    const Records after = Advance(file_, now, watched, ours, merged);
    if (by_agent) pending_ = {};
    if (after.continuity == Continuity::kWatched) last_process_ = process;
    Check(Ages(after, images_), accepts);
    file_ = after;
    file_.node = identity_;
    file_.continuity = Continuity::kWatched;
    file_.count_unwatched = false;
    ++observations_;
  }

  void Check(const std::vector<ImageAge>& ages, bool accepts) const {
    for (std::size_t i = 0; i < kImages; ++i) {
      const ImageAge& age = ages[i];
      ASSERT_GE(age.watched_unused_for, Millis(0));
      ASSERT_LE(age.watched_unused_for, age.unused_for);
      if (accepts) continue;
      // Anything could have used it while nothing watched.
      const Nanos last_possible = std::max(last_use_[i], watching_ ? unwatched_at_ : steady_);
      ASSERT_LE(age.watched_unused_for, steady_ - last_possible) << "image " << i;
      if (!accepts_) {
        ASSERT_LE(age.unused_for, watched_total_ - recorded_use_[i]) << "image " << i;
      }
    }
  }

  using Flags = std::array<bool, kImages>;
  std::mt19937_64 random_;
  const bool accepts_;  // some commands have --count-unwatched
  std::vector<Image> images_;
  NodeIdentity identity_;

  Nanos steady_ = minutes(3);
  Nanos wall_{0};
  std::string boot_ = "boot";
  int boots_ = 0;
  int processes_ = 0;
  Flags running_{};

  int agent_ = 0;  // its process
  bool watching_ = false;
  Nanos since_{0};
  bool mark_is_written_ = false;
  Flags pending_{};
  Flags unwritten_{};

  Records file_;
  int last_process_ = 0;
  int observations_ = 0;

  // The truth, on the monotonic clock of this boot and in watched time.
  std::array<Nanos, kImages> last_use_{};
  Nanos unwatched_at_{0};
  Nanos watched_total_{0};
  std::array<Nanos, kImages> recorded_use_{};
};

// Toward minimumAge, no image is older than the time since its last possible use. Toward
// maximumAge, no unwatched time counts.
TEST(AgesProperty, LimitsEveryAgeToTheWatchedTime) {
  int observations = 0;
  for (std::uint64_t seed = 1; seed <= 100'000 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    NodeHistory history(seed);
    history.Play();
    observations += history.observations();
  }
  EXPECT_GT(observations, 500'000);
}

}  // namespace
}  // namespace imagesweep
