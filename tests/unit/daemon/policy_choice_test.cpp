#include "agent/daemon/policy_choice.h"

#include <gtest/gtest.h>

namespace imagesweep {
namespace {

struct Step {
  char who;  // b: text of the base, o: text of the override
  Result<std::string> text;
  std::string effective_policy;  // the offered policy; empty: none
};

TEST(PolicyChoiceTest, TheOverrideIsThePolicyWhileItExists) {
  const Error none{ErrorKind::kNotFound, "does not exist"};
  const Error denied{ErrorKind::kDenied, "forbidden"};
  const Error no_key{ErrorKind::kInvalid, "has no key"};
  const std::vector<std::vector<Step>> cases = {
      {{'b', std::string("1"), ""}, {'o', none, "base 1"}, {'b', std::string("2"), "base 2"}},
      {{'o', none, ""}, {'b', std::string("1"), "base 1"}},
      {{'o', std::string("x"), "override x"}, {'b', std::string("1"), "override x"}},
      {{'b', std::string("1"), ""},
       {'o', none, "base 1"},
       {'o', std::string("x"), "override x"},
       {'o', std::string("y"), "override y"},
       {'o', none, "base 1"}},
      // An unreadable override is not a missing one: it may exist to replace the base.
      {{'b', std::string("1"), ""}, {'o', denied, "override forbidden"}, {'o', none, "base 1"}},
      {{'b', std::string("1"), ""}, {'o', no_key, "override has no key"}},
      {{'o', none, ""}, {'b', denied, "base forbidden"}},
  };
  for (const auto& steps : cases) {
    std::string offered;
    PolicyChoice choice("base", "override", [&](const auto& text, const std::string& from) {
      offered = from + " " + (text ? *text : text.error().what);
    });
    for (const Step& step : steps) {
      offered.clear();
      if (step.who == 'b')
        choice.SetBase(step.text);
      else
        choice.SetOverride(step.text);
      EXPECT_EQ(offered, step.effective_policy) << &step - steps.data();
    }
  }
}

struct PolicyReadStatusTest : testing::Test {
  static SteadyTime At(int second) { return SteadyTime(std::chrono::seconds(second)); }
  std::string freshness;  // the last report
  PolicyChoice choice{
      "base", "override", [](const auto&, const auto&) {},
      [this](const PolicyChoice::Seen& seen) {
        freshness = seen ? std::to_string(seen->time_since_epoch() / std::chrono::seconds(1))
                         : seen.error().what;
      }};
  const Error none{ErrorKind::kNotFound, "does not exist"};
  const Error away{ErrorKind::kUnavailable, "503"};
};

// The base is in force only while it is known that no override exists.
TEST_F(PolicyReadStatusTest, UsesTheOlderReadOfBothWhileTheBaseIsInForce) {
  choice.SetBase(std::string("b"));
  choice.BaseRead(At(10));
  EXPECT_EQ(freshness, "") << "there may be an override";
  choice.SetOverride(none);
  choice.OverrideRead(At(11));
  EXPECT_EQ(freshness, "10");
  choice.BaseRead(At(60));
  EXPECT_EQ(freshness, "11");
  choice.OverrideRead(away);
  EXPECT_EQ(freshness, "503");
  choice.BaseRead(At(120));
  EXPECT_EQ(freshness, "11") << "nobody knows whether there is an override";
}

TEST_F(PolicyReadStatusTest, UsesOnlyTheReadOfTheOverrideWhileItExists) {
  choice.SetOverride(std::string("o"));
  choice.OverrideRead(At(10));
  EXPECT_EQ(freshness, "10");
  choice.BaseRead(away);
  EXPECT_EQ(freshness, "10");
  choice.OverrideRead(away);
  EXPECT_EQ(freshness, "503");
}

TEST_F(PolicyReadStatusTest, UsesOnlyTheReadOfTheBaseWithoutAnOverride) {
  choice.WithoutOverride();
  choice.SetBase(std::string("b"));
  choice.BaseRead(At(10));
  EXPECT_EQ(freshness, "10");
  choice.BaseRead(away);
  EXPECT_EQ(freshness, "503");
}

// The override was deleted, or lost its key, so the policy in force is not that of the cluster.
TEST_F(PolicyReadStatusTest, ASourceWithoutATextDoesNotConfirmTheLastOne) {
  choice.WithoutOverride();
  choice.SetBase(std::string("b"));
  choice.BaseRead(At(10));
  choice.SetBase(none);
  choice.BaseRead(At(20));
  EXPECT_EQ(freshness, "does not exist");
}

}  // namespace
}  // namespace imagesweep
