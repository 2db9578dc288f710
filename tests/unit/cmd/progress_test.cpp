#include "agent/cmd/progress.h"

#include <gmock/gmock.h>

namespace imagesweep {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ProgressBar, ShowsProgressInImagesAndBytes) {
  EXPECT_EQ(ProgressBar(12, 48, 1ULL << 30, 4ULL << 30, "nginx:1.25", 120),
            "[#####---------------]  12/48 images  1.0GiB/4.0GiB  nginx:1.25");
  EXPECT_THAT(ProgressBar(1, 1, 0, 0, "a", 120), HasSubstr("[####################]  1/1 image  "));
  EXPECT_THAT(ProgressBar(0, 0, 0, 0, "", 120), HasSubstr("0/0"));
}

TEST(ProgressBar, NeverWrapsAndNoNameBreaksIt) {
  for (const std::size_t width : {0UL, 1UL, 20UL, 79UL})
    EXPECT_LT(ProgressBar(1, 9, 1, 9, std::string(300, 'x'), width).size(),
              std::max<std::size_t>(width, 1));
  EXPECT_THAT(ProgressBar(1, 9, 1, 9, "a\r\x1b[2Jb", 120), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace imagesweep
