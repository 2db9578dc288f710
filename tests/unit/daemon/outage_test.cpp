#include "agent/daemon/outage.h"

#include <gtest/gtest.h>

namespace imagesweep {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST(Outage, IsReportedOnceWhenItLastsAndAgainAfterARecovery) {
  const struct {
    seconds at;
    bool away, told;
  } steps[] = {{seconds(0), true, false},    {seconds(119), true, false},
               {seconds(120), true, true},   {seconds(121), true, false},
               {seconds(130), false, false}, {seconds(140), true, false},
               {seconds(200), false, false}, {seconds(210), true, false},
               {seconds(329), true, false},  {seconds(330), true, true}};
  Outage outage(minutes(2));
  const SteadyTime start{std::chrono::hours(1)};
  for (const auto& [at, away, told] : steps)
    EXPECT_EQ(outage.Note(away, start + at), told) << at.count();
}

}  // namespace
}  // namespace imagesweep
