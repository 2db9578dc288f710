#include "agent/base/process_usage.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

namespace imagesweep {
namespace {

namespace fs = std::filesystem;

struct ProcessUsageTest : testing::Test {
  ProcessUsageTest() {
    fs::create_directories(proc / "self/fd");
    // 250 ticks of user time, 150 of system time, started 12,300 ticks after boot.
    Write("self/stat",
          "7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 250 150 0 0 20 0 9 0 12300 1 2 3\n");
    Write("self/status", "Name:\ta\nVmPeak:\t 9 kB\nVmSize:\t    2048 kB\nVmRSS:\t    512 kB\n");
    Write("self/limits",
          "Limit                     Soft Limit           Hard Limit           Units\n"
          "Max open files            1024                 524288               files\n");
    Write("stat", "cpu  1 2 3\nbtime 1700000000\nprocesses 5\n");
    for (const char* file : {"0", "1", "2"}) Write(std::string("self/fd/") + file, "x");
  }
  ~ProcessUsageTest() override { fs::remove_all(proc); }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(proc / name) << text;
  }
  const fs::path proc =
      fs::path(testing::TempDir()) / ("process_usage_test." + std::to_string(::getpid()));
};

TEST_F(ProcessUsageTest, IsReadFromTheKernelsFiles) {
  const auto usage = ReadProcessUsage(proc);
  ASSERT_TRUE(usage) << usage.error().what;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  EXPECT_DOUBLE_EQ(usage->cpu_seconds, 400 / ticks);
  EXPECT_DOUBLE_EQ(usage->start_time_seconds, 1'700'000'000 + 12'300 / ticks);
  EXPECT_EQ(usage->virtual_bytes, 2048U * 1024);
  EXPECT_EQ(usage->resident_bytes, 512U * 1024);
  EXPECT_EQ(usage->open_files, 3U);
  EXPECT_EQ(usage->max_files, 1024U);
}

TEST_F(ProcessUsageTest, OmitsMaxFilesWhenUnlimited) {
  Write("self/limits", "Max open files            unlimited            unlimited    files\n");
  const auto usage = ReadProcessUsage(proc);
  ASSERT_TRUE(usage) << usage.error().what;
  EXPECT_FALSE(usage->max_files);
}

TEST_F(ProcessUsageTest, FailsWhenAFileIsMissingOrMalformed) {
  for (const char* name : {"self/stat", "self/status", "self/limits", "stat"}) {
    std::ifstream in(proc / name);
    const std::string whole(std::istreambuf_iterator<char>(in), {});
    Write(name, "something else entirely\n");
    EXPECT_FALSE(ReadProcessUsage(proc)) << name;
    fs::remove(proc / name);
    EXPECT_FALSE(ReadProcessUsage(proc)) << name;
    Write(name, whole);
  }
  ASSERT_TRUE(ReadProcessUsage(proc));
  fs::remove_all(proc / "self/fd");
  EXPECT_FALSE(ReadProcessUsage(proc));
}

TEST(ProcessUsage, ReadsPlausibleValuesOfThisProcess) {
  const auto usage = ReadProcessUsage();
  ASSERT_TRUE(usage) << usage.error().what;
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  EXPECT_GT(usage->start_time_seconds, now.count() - 3600);
  EXPECT_LT(usage->start_time_seconds, now.count() + 5);
  EXPECT_GT(usage->resident_bytes, 1024U * 1024);
  EXPECT_GE(usage->virtual_bytes, usage->resident_bytes);
  EXPECT_GE(usage->open_files, 3U);
  EXPECT_GE(usage->cpu_seconds, 0);
}

}  // namespace
}  // namespace imagesweep
