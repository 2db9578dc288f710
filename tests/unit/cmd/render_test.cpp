#include "agent/cmd/render.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace imagesweep {
namespace {

TEST(OutputWidth, IsThatOfTheTerminal) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(master, 0);
  ASSERT_EQ(grantpt(master) + unlockpt(master), 0);
  char path[64];
  ASSERT_EQ(ptsname_r(master, path, sizeof(path)), 0);
  const int terminal = open(path, O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  const winsize size{24, 93, 0, 0};
  ASSERT_EQ(ioctl(master, TIOCSWINSZ, &size), 0);
  EXPECT_EQ(OutputWidth(terminal, ""), 93U);
  EXPECT_EQ(OutputWidth(terminal, "60"), 60U);
  EXPECT_EQ(OutputWidth(terminal, "0"), 0U) << "no limit";
  EXPECT_EQ(OutputWidth(terminal, "60x"), 93U);
  close(terminal);
  close(master);
}

TEST(OutputWidth, IsUnlimitedWithoutATerminal) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_EQ(OutputWidth(ends[1], ""), 0U);
  EXPECT_EQ(OutputWidth(ends[1], "-5"), 0U);
  EXPECT_EQ(OutputWidth(ends[1], "60"), 60U) << "COLUMNS applies to any output";
  close(ends[0]);
  close(ends[1]);
}

TEST(OutputWidth, NeverLimitsWideTables) {
  ASSERT_EQ(setenv("COLUMNS", "60", 1), 0);  // NOLINT(concurrency-mt-unsafe): the only thread
  Options options;
  EXPECT_EQ(TextOptionsOf(options).width, 60U);
  options.output = Output::kWide;
  EXPECT_EQ(TextOptionsOf(options).width, 0U);
  unsetenv("COLUMNS");  // NOLINT(concurrency-mt-unsafe): the only thread
}

}  // namespace
}  // namespace imagesweep
