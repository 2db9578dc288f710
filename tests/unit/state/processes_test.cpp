#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <set>

#include "agent/state/age_store.h"
#include "agent/state/history.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/state/age_store_files.h"
#include "tests/unit/state/history_files.h"

namespace imagesweep {
namespace {

constexpr int kRuns = 15;

// The work of an agent or a command. True if every call reached its file.
bool Work(const std::filesystem::path& directory, const std::string& name) {
  const RealClock clock{};
  const auto age_store = OpenCounting(directory, clock, "boot");
  const auto history = History::Open(directory, clock);
  const auto images = Images({"a", "b"});
  bool good = true;
  for (int i = 0; i < kRuns; ++i) {
    const std::string run = name + std::to_string(i);
    LookIdle(*age_store, images);
    good = good && age_store->durable();
    age_store->CountCandidates(images, {true, false});
    good = good && age_store->durable();
    good = good && history->BeginRemoval(Removal(run, "a")) &&
           history->Commit(run, Id("a"), true) && history->BeginRemoval(Removal(run, "b")) &&
           history->Commit(run, Id("b"), false) && history->AddRun(RunOf(run), 50) &&
           history->Find(run);
  }
  for (const auto& warning : history->warnings()) std::puts(warning.c_str());
  return good;
}

TEST(TwoProcesses, ShareBothFiles) {
  const TempDir dir;
  const RealClock clock{};
  std::vector<pid_t> children;
  for (const char* name : {"agent-", "cli-"}) {
    children.push_back(fork());
    if (children.back() == 0) _exit(Work(dir.path(), name) ? 0 : 1);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  const auto history = History::Open(dir.path(), clock);
  const auto runs = RunIds(*history);
  EXPECT_EQ(std::set<std::string>(runs.begin(), runs.end()).size(), 2U * kRuns);
  const auto removals = Value(history->Removals(""));
  EXPECT_EQ(removals.size(), 2U * kRuns);
  for (const auto& removal : removals) EXPECT_EQ(removal, Gone(Removal(removal.run, "a")));

  const auto age_store = OpenCounting(dir.path(), clock, "boot");
  const auto images = Images({"a", "b"});
  LookIdle(*age_store, images);
  EXPECT_EQ(age_store->CountCandidates(images, {true, true}), (std::vector<int>{2 * kRuns + 1, 1}));
}

}  // namespace
}  // namespace imagesweep
