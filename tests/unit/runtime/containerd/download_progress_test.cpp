#include "agent/runtime/containerd/download_progress.h"

#include <gmock/gmock.h>

#include "tests/support/fake_clock.h"

namespace imagesweep::containerd {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

struct DownloadProgressTest : testing::Test {
  FakeClock clock;
  DownloadProgress progress{seconds(30), clock};
};

TEST_F(DownloadProgressTest, IsAliveUntilItMadeNoProgressForThePatience) {
  const SystemTime at = clock.Now();
  EXPECT_THAT(progress.Alive({{"layer", 1, at}}), ElementsAre("layer"));
  clock.Advance(seconds(29));
  EXPECT_THAT(progress.Alive({{"layer", 1, at}}), ElementsAre("layer"));
  clock.Advance(seconds(1));
  EXPECT_THAT(progress.Alive({{"layer", 1, at}}), IsEmpty());
}

TEST_F(DownloadProgressTest, WithATimeInTheFutureTheOffsetTells) {
  const SystemTime future = clock.Now() + hours(9);
  EXPECT_THAT(progress.Alive({{"dead", 7, future}, {"live", 1, future}}),
              ElementsAre("dead", "live"));
  clock.Advance(seconds(9));
  EXPECT_THAT(progress.Alive({{"dead", 7, future}, {"live", 2, future}}),
              ElementsAre("dead", "live"));
  clock.Advance(seconds(9));
  EXPECT_THAT(progress.Alive({{"dead", 7, future}, {"live", 2, future}}), ElementsAre("live"));
  clock.Advance(seconds(9));
  EXPECT_THAT(progress.Alive({{"dead", 8, future}}), ElementsAre("dead")) << "it moves on again";
}

TEST_F(DownloadProgressTest, ARefThatComesBackIsANewDownload) {
  const SystemTime future = clock.Now() + hours(9);
  EXPECT_THAT(progress.Alive({{"layer", 7, future}}), ElementsAre("layer"));
  clock.Advance(seconds(20));
  EXPECT_THAT(progress.Alive({}), IsEmpty());
  EXPECT_THAT(progress.Alive({{"layer", 7, future}}), ElementsAre("layer"));
}

}  // namespace
}  // namespace imagesweep::containerd
