#include "agent/daemon/policy_store.h"

#include <gmock/gmock.h>

namespace imagesweep {
namespace {

using testing::HasSubstr;
using Change = PolicyStore::Change;

const std::string kGood = "apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\n";
const std::string kOther = kGood + "dryRun: false\n";
const std::string kBad = kGood + "dryRnu: false\n";

TEST(PolicyStore, HasNoPolicyUntilAValidOneArrives) {
  PolicyStore store;
  EXPECT_EQ(store.Active(), nullptr);
  EXPECT_EQ(store.Offer(kBad, "file/p"), Change::kRejected);
  EXPECT_EQ(store.Active(), nullptr);
  EXPECT_THAT(store.Problem(), HasSubstr("dryRnu"));
}

TEST(PolicyStore, KeepsTheLastValidPolicyWhenOneIsInvalid) {
  PolicyStore store;
  EXPECT_EQ(store.Offer(kGood, "file/p"), Change::kLoaded);
  const auto good = store.Active();
  EXPECT_EQ(store.Offer(kBad, "file/p"), Change::kRejected);
  EXPECT_EQ(store.Active(), good);
  EXPECT_EQ(store.Unavailable("the ConfigMap does not exist"), Change::kRejected);
  EXPECT_EQ(store.Active(), good);
  EXPECT_EQ(store.Problem(), "the ConfigMap does not exist");
  EXPECT_EQ(store.Offer(kGood, "file/p"), Change::kLoaded);
  EXPECT_EQ(store.Problem(), "");
}

TEST(PolicyStore, ReportsOnlyChanges) {
  PolicyStore store;
  EXPECT_EQ(store.Offer(kGood, "file/p"), Change::kLoaded);
  EXPECT_EQ(store.Offer(kGood, "file/p"), Change::kNone);
  EXPECT_EQ(store.Offer(kOther, "file/p"), Change::kLoaded);
  EXPECT_EQ(store.Offer(kBad, "file/p"), Change::kRejected);
  EXPECT_EQ(store.Offer(kBad, "file/p"), Change::kNone);
  EXPECT_EQ(store.Unavailable("gone"), Change::kRejected);
  EXPECT_EQ(store.Unavailable("gone"), Change::kNone);
}

TEST(PolicyStore, NamesThePolicyByTheHashOfItsText) {
  PolicyStore store;
  store.Offer(kGood, "file/p");
  const std::string first = store.Active()->source.sha256;
  EXPECT_EQ(first.size(), 12U);
  store.Offer(kOther, "file/p");
  EXPECT_NE(store.Active()->source.sha256, first);
}

TEST(WithMinimumAge, ReplacesEveryMinimumAge) {
  const auto active = ParseActivePolicy(
      kGood +
          "minimumAge: 2h\nrules:\n- {name: ci, selector: {images: [\"*/ci/*\"]}, minimumAge: 9h}\n"
          "diskUsage: {critical: {minimumAge: 1h}}\n"
          "overrides:\n- nodeSelector: {disk: small}\n  policy: {minimumAge: 3h}\n",
      "file/p");
  ASSERT_TRUE(active) << active.error().what;
  const Policy policy = WithMinimumAge(active->policy, Millis(0));
  ASSERT_EQ(policy.overrides.size(), 1U);
  for (const Policy* one : {&policy, policy.overrides[0].policy.get()}) {
    EXPECT_EQ(one->minimum_age, Millis(0));
    EXPECT_EQ(one->disk.critical.minimum_age, Millis(0));
    ASSERT_EQ(one->rules.size(), 1U);
    EXPECT_FALSE(one->rules[0].minimum_age);
  }
}

}  // namespace
}  // namespace imagesweep
