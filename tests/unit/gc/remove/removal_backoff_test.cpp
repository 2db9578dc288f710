#include "agent/gc/remove/removal_backoff.h"

#include <gmock/gmock.h>

namespace imagesweep {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::HasSubstr;

const ImageId kImage("sha256:a");

TEST(RemovalBackoff, DoublesFromTenMinutesToSixHours) {
  RemovalBackoff backoff;
  SteadyTime now;
  EXPECT_EQ(backoff.WhyNot(kImage, now), "");
  for (const int wait : {10, 20, 40, 80, 160, 320, 360, 360}) {
    backoff.Failed(kImage, "its removal failed before (busy)", now);
    EXPECT_THAT(backoff.WhyNot(kImage, now), HasSubstr("failed before (busy); next attempt in"));
    now += minutes(wait) - Millis(1);
    EXPECT_NE(backoff.WhyNot(kImage, now), "") << wait;
    now += Millis(1);
    EXPECT_EQ(backoff.WhyNot(kImage, now), "") << wait;
  }
  backoff.Failed(kImage, "busy", now);
  backoff.Succeeded(kImage);
  EXPECT_EQ(backoff.WhyNot(kImage, now), "");
}

TEST(RemovalBackoff, CountsALostConnectionFromTheSecondTimeInARow) {
  RemovalBackoff backoff;
  SteadyTime now;
  backoff.Lost(kImage, "connection refused", now);
  EXPECT_EQ(backoff.WhyNot(kImage, now), "") << "nobody may have asked the runtime";
  backoff.Lost(kImage, "connection refused", now);
  EXPECT_NE(backoff.WhyNot(kImage, now), "") << "the removal may be what ends the runtime";
  EXPECT_EQ(backoff.WhyNot(kImage, now + minutes(10)), "");
  backoff.Lost(kImage, "connection refused", now + minutes(10));
  EXPECT_EQ(backoff.WhyNot(kImage, now + minutes(10)), "");
}

}  // namespace
}  // namespace imagesweep
