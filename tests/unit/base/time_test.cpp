#include <gtest/gtest.h>

#include <thread>

#include "agent/base/backoff.h"
#include "agent/base/clock.h"

namespace imagesweep {
namespace {

TEST(Clock, PrintsRfc3339InUtc) {
  EXPECT_EQ(FormatTime(SystemTime(Millis(1'789'377'123'114))), "2026-09-14T09:12:03.114Z");
  EXPECT_EQ(FormatTime(SystemTime(Millis(-1))), "1969-12-31T23:59:59.999Z");
}

TEST(Clock, SleepEndsAtOnceWhenAskedToStop) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(RealClock().Sleep(std::chrono::hours(1), stop.get_token()));
}

TEST(Backoff, DoublesUpToTheLimitAndStaysInItsJitterBand) {
  Backoff backoff(Millis(800), Millis(30'000), 7);
  std::int64_t ceiling = 800;
  for (int i = 0; i < 12; ++i) {
    const auto wait = backoff.Next().count();
    EXPECT_GE(wait, ceiling / 2);
    EXPECT_LE(wait, ceiling);
    ceiling = std::min<std::int64_t>(ceiling * 2, 30'000);
  }
  backoff.Reset();
  EXPECT_LE(backoff.Next().count(), 800);
}

TEST(Backoff, WaitsAtLeastTheGivenMinimum) {
  Backoff backoff(Millis(800), Millis(30'000), 7);
  for (int i = 0; i < 12; ++i) EXPECT_GE(backoff.Next(Millis(7'000)), Millis(7'000));
}

}  // namespace
}  // namespace imagesweep
