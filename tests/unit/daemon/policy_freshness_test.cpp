#include "agent/daemon/policy_freshness.h"

#include <gmock/gmock.h>

#include <random>

#include "tests/support/fake_clock.h"

namespace imagesweep {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

struct PolicyFreshnessTest : testing::Test {
  FakeClock clock;
  PolicyFreshness freshness{clock};
};

TEST_F(PolicyFreshnessTest, WarnsWithinTwoMinutesAndAbortsRunsAfterFive) {
  freshness.Seen(clock.Steady());
  freshness.Lost("the API server answered 500");
  clock.Advance(seconds(109));
  EXPECT_THAT(freshness.Problem(), IsEmpty());
  clock.Advance(seconds(1));
  EXPECT_THAT(freshness.Problem(),
              AllOf(HasSubstr("answered 500"), HasSubstr("after 5m runs abort")));
  EXPECT_FALSE(freshness.Refuse());
  clock.Advance(seconds(189));
  EXPECT_FALSE(freshness.Refuse());
  clock.Advance(seconds(1));
  const auto refusal = freshness.Refuse();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->source, "policy");
  EXPECT_THAT(refusal->error.what, HasSubstr("last read 5m ago: the API server answered 500"));
  freshness.Seen(clock.Steady());
  EXPECT_FALSE(freshness.Refuse());
  EXPECT_THAT(freshness.Problem(), IsEmpty());
}

// Nothing reports that a watch is dead.
TEST_F(PolicyFreshnessTest, CountsSilenceAsAnUnreadPolicy) {
  freshness.Seen(clock.Steady());
  clock.Advance(std::chrono::minutes(5));
  ASSERT_TRUE(freshness.Refuse());
  EXPECT_THAT(freshness.Refuse()->error.what, HasSubstr("its source sends no updates"));
}

TEST_F(PolicyFreshnessTest, NeverAbortsWithoutAPolicy) {
  freshness.Lost("does not exist");
  clock.Advance(std::chrono::hours(1));
  EXPECT_FALSE(freshness.Refuse());
  EXPECT_EQ(freshness.UnreadFor(), Millis(0));
}

// For any order of events: a run uses the policy exactly while it was seen within five minutes, and
// two minutes without sight are always reported.
TEST_F(PolicyFreshnessTest, AbortsExactlyWhenThePolicyIsUnreadForFiveMinutes) {
  std::mt19937_64 random(17);
  SteadyTime newest = clock.Steady();
  freshness.Seen(newest);
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    clock.Advance(Millis(static_cast<Millis::rep>(random() % 60'000)));
    switch (random() % 8) {
      case 0:
        newest = clock.Steady();
        freshness.Seen(newest);
        break;
      case 1:  // a late report of an older read
        freshness.Seen(clock.Steady() - std::chrono::minutes(10));
        newest = std::max(newest, clock.Steady() - std::chrono::minutes(10));
        break;
      default:
        freshness.Lost("503");
    }
    const auto unseen = clock.Steady() - newest;
    ASSERT_EQ(freshness.Refuse().has_value(), unseen >= std::chrono::minutes(5)) << i;
    if (unseen >= seconds(120)) {
      ASSERT_FALSE(freshness.Problem().empty()) << i;
    }
    refused += freshness.Refuse() ? 1 : 0;
  }
  EXPECT_GT(refused, 1'000);
  EXPECT_LT(refused, 19'000);
}

}  // namespace
}  // namespace imagesweep
