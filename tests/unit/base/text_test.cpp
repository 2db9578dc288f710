#include <gtest/gtest.h>

#include "agent/base/duration.h"
#include "agent/base/quantity.h"

namespace imagesweep {
namespace {

TEST(Duration, ReadsGoSyntaxWithDaysAndWeeks) {
  const std::pair<const char*, std::int64_t> good[] = {
      {"0", 0},
      {"0s", 0},
      {"15m", 900'000},
      {"1h30m", 5'400'000},
      {"200ms", 200},
      {"1.5h", 5'400'000},
      {"7d", 604'800'000},
      {"2w", 1'209'600'000},
      {"336h", 1'209'600'000},
      {"1d12h", 129'600'000},
  };
  for (const auto& [text, millis] : good) {
    const auto parsed = ParseDuration(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->count(), millis) << text;
  }
}

TEST(Duration, RejectsTextThatIsNoDuration) {
  for (const char* text :
       {"", "5", "-5m", "+5m", "m", "1.2.3s", "5 m", "5minutes", "1000000w", "."}) {
    EXPECT_FALSE(ParseDuration(text)) << text;
  }
}

TEST(Duration, RoundTripsThroughText) {
  for (const char* text : {"0s", "200ms", "15m", "1h30m", "336h", "1h0m1s"}) {
    const auto once = ParseDuration(text);
    ASSERT_TRUE(once);
    const auto again = ParseDuration(FormatDuration(*once));
    ASSERT_TRUE(again) << FormatDuration(*once);
    EXPECT_EQ(*once, *again);
  }
  EXPECT_EQ(FormatDuration(Millis(5'400'000)), "1h30m");
}

TEST(Duration, PrintsAgesAsKubectlDoes) {
  EXPECT_EQ(HumanDuration(Millis(42'000)), "42s");
  EXPECT_EQ(HumanDuration(Millis(330'000)), "5m30s");
  EXPECT_EQ(HumanDuration(std::chrono::hours(26)), "26h");
  EXPECT_EQ(HumanDuration(std::chrono::hours(24 * 12)), "12d");
}

TEST(Quantity, ReadsKubernetesQuantities) {
  const std::pair<const char*, std::uint64_t> good[] = {
      {"0", 0},
      {"512", 512},
      {"1Ki", 1024},
      {"20Gi", 21'474'836'480},
      {"1.5Gi", 1'610'612'736},
      {"500M", 500'000'000},
      {"1e3", 1000},
      {"1P", 1'000'000'000'000'000},
      {"20GiB", 20ULL << 30},
      {"1.5KiB", 1536},
      {"1EiB", 1ULL << 60},
      {"4096B", 4096},
  };
  for (const auto& [text, bytes] : good) {
    const auto parsed = ParseQuantity(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, bytes) << text;
  }
}

TEST(Quantity, RejectsTextThatIsNoQuantity) {
  for (const char* text : {"", "20GB", "20kiB", "20GiBB", "iB", "B", "20iB", "-1", "Gi", "0x10",
                           "1 Gi", "99999Ei", "nan", "inf"}) {
    EXPECT_FALSE(ParseQuantity(text)) << text;
  }
}

TEST(Quantity, PrintsBinaryUnitsForPeople) {
  EXPECT_EQ(HumanBytes(0), "0B");
  EXPECT_EQ(HumanBytes(1023), "1023B");
  EXPECT_EQ(HumanBytes(1536), "1.5KiB");
  EXPECT_EQ(HumanBytes(1024ULL * 1024 * 1024), "1.0GiB");
  EXPECT_EQ(HumanBytes(735ULL * 1024 * 1024), "735MiB");
}

}  // namespace
}  // namespace imagesweep
