#include "agent/kube/watch/reflector.h"

#include <gtest/gtest.h>

namespace imagesweep::kube {
namespace {

struct Look {
  int second;
  const char* listed;
  const char* watched;
  bool believed;
};

struct RewindCase {
  const char* why;
  std::vector<Look> looks;
};

TEST(RewindGuardTest, BelievesAnOlderServerOnlyWhenItStaysSo) {
  const RewindCase cases[] = {
      {"forward", {{0, "10", "", true}, {1, "10", "", true}, {2, "11", "", true}}},
      {"numbers, not texts", {{0, "9", "", true}, {1, "10", "", true}}},
      {"two lists, 45 s apart",
       {{0, "10", "", true},
        {1, "5", "", false},
        {45, "6", "", false},
        {46, "6", "", true},
        {47, "6", "", true}}},
      {"one stale server among others",
       {{0, "10", "", true}, {1, "5", "", false}, {30, "11", "", true}, {70, "5", "", false}}},
      {"older and older does not agree",
       {{0, "10", "", true},
        {1, "8", "", false},
        {46, "5", "", false},
        {90, "5", "", false},
        {91, "5", "", true}}},
      {"older than the watch", {{0, "10", "20", false}, {1, "20", "20", true}}},
      {"the watch hangs at the old version after a restore",
       {{0, "20", "20", true},
        {1, "5", "20", false},
        {46, "6", "20", true},
        {70, "7", "20", true},
        {80, "6", "20", false}}},
      {"the watch listed again after a restore",
       {{0, "20", "20", true},
        {1, "5", "20", false},
        {46, "6", "20", true},
        {70, "8", "9", false},
        {71, "9", "9", true}}},
      {"opaque versions cannot be compared", {{0, "b", "", true}, {1, "a", "", true}}},
  };
  for (const auto& [why, looks] : cases) {
    RewindGuard guard;
    for (const auto& [second, listed, watched, believed] : looks) {
      const SteadyTime now{std::chrono::seconds(second)};
      EXPECT_EQ(static_cast<bool>(guard.Check(listed, watched, now)), believed)
          << why << ", second " << second;
    }
  }
}

}  // namespace
}  // namespace imagesweep::kube
