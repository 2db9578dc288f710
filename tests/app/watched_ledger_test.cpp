#include "agent/app/watched_ledger.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"
#include "tests/support/images.h"

namespace imagesweep {
namespace {

using std::chrono::minutes;

TEST(WatchedLedger, AnIntervalInWhichAUseMayBeMissingDoesNotCountAndTheNextOneDoes) {
  const FakeClock clock;
  const auto real = Ledger::InMemory(clock);
  WatchedLedger ledger(*real);
  const std::vector<Image> images(1);
  const auto look = [&](Millis later) {
    clock.Advance(later);
    ledger.LimitGaps(minutes(30));  // as every run does
    return ledger.Observe(images, {false})[0].unused_for;
  };
  look(Millis(0));
  EXPECT_EQ(look(minutes(10)), minutes(10));
  ledger.MayHaveMissedUses();
  EXPECT_EQ(look(minutes(10)), minutes(10));
  EXPECT_EQ(look(minutes(10)), minutes(20));
  EXPECT_EQ(look(minutes(90)), minutes(50)) << "the limit of a gap is passed on";
}

}  // namespace
}  // namespace imagesweep
