#include "agent/app/policy_store.h"

#include <gmock/gmock.h>

namespace imagesweep {
namespace {

using testing::HasSubstr;
using Change = PolicyStore::Change;

const std::string kGood = "apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\n";
const std::string kOther = kGood + "dryRun: false\n";
const std::string kBad = kGood + "dryRnu: false\n";

TEST(PolicyStore, HasNoPolicyUntilAGoodOneComes) {
  PolicyStore store;
  EXPECT_EQ(store.Active(), nullptr);
  EXPECT_EQ(store.Offer(kBad, "file/p"), Change::kRejected);
  EXPECT_EQ(store.Active(), nullptr);
  EXPECT_THAT(store.Problem(), HasSubstr("dryRnu"));
}

TEST(PolicyStore, KeepsTheLastGoodOneWhenABadOneComes) {
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

TEST(PolicyStore, SaysOnlyWhatIsNew) {
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

}  // namespace
}  // namespace imagesweep
