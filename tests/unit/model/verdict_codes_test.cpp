#include "agent/model/verdict_codes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string_view>
#include <vector>

namespace imagesweep {
namespace {

using testing::ElementsAreArray;
using testing::UnorderedElementsAreArray;

TEST(VerdictCodes, FindsEachCodeByItsNumberAndByItsName) {
  for (const VerdictCode& row : VerdictCodes()) {
    EXPECT_EQ(&RowOf(row.code), &row) << row.name;
    EXPECT_EQ(FindVerdictCode(row.name), &row) << row.name;
    EXPECT_EQ(ToString(row.code), row.name);
  }
  EXPECT_EQ(FindVerdictCode("Untag"), nullptr) << "a code of older versions";
  EXPECT_EQ(FindVerdictCode(""), nullptr);
}

TEST(VerdictCodes, UsesEachStateAndEachRemovalReasonOfTheMetrics) {
  std::set<std::string_view> states, reasons;
  for (const VerdictCode& row : VerdictCodes()) {
    states.insert(row.state);
    if (!row.removal_reason.empty()) reasons.insert(row.removal_reason);
  }
  EXPECT_THAT(states, UnorderedElementsAreArray(kImageStates));
  EXPECT_THAT(reasons, UnorderedElementsAreArray(kRemovalReasons));
}

// Dashboards and the history know these words.
TEST(VerdictCodes, KeepsTheWordsOfTheInterface) {
  struct Words {
    std::string_view name, state, removal_reason;
    bool operator==(const Words&) const = default;
  };
  std::vector<Words> words;
  for (const VerdictCode& row : VerdictCodes())
    words.push_back({row.name, row.state, row.removal_reason});
  EXPECT_THAT(words, ElementsAreArray(std::vector<Words>{{"InUse", "in_use", ""},
                                                         {"Pinned", "pinned", ""},
                                                         {"Sandbox", "sandbox", ""},
                                                         {"Self", "kept", ""},
                                                         {"Workload", "kept", ""},
                                                         {"KeepRule", "kept", ""},
                                                         {"LocalOnly", "kept", ""},
                                                         {"TooYoung", "too_young", ""},
                                                         {"Retained", "kept", ""},
                                                         {"Unknown", "kept", ""},
                                                         {"Rule", "candidate", "rule"},
                                                         {"Dangling", "candidate", "dangling"},
                                                         {"Superseded", "candidate", "superseded"},
                                                         {"Age", "candidate", "age"},
                                                         {"Space", "candidate", "space"},
                                                         {"Critical", "candidate", "critical"},
                                                         {"Idle", "idle", ""},
                                                         {"Window", "candidate", ""},
                                                         {"Limit", "candidate", ""},
                                                         {"NoGain", "idle", ""}}));
}

}  // namespace
}  // namespace imagesweep
