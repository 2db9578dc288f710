#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>

#include "agent/state/ledger.h"
#include "tests/state/ledger_files.h"
#include "tests/support/fake_clock.h"

namespace imagesweep {
namespace {

using std::chrono::seconds;
using testing::IsEmpty;

// Every change that SQLite makes to the disk goes through these, so a process can be killed, or the
// disk be full, at each of them in turn.
// Source: sqlite.org/c3ref/vfs.html (xSetSystemCall), os_unix.c for the names.
enum class Fault { kNone, kKill, kTornWriteThenKill, kDiskFull };
Fault fault = Fault::kNone;
int calls_left = 0;

// True when this call is the one that goes wrong, or a later one.
bool Strikes() {
  if (fault == Fault::kNone) return false;
  if (calls_left > 1) {
    --calls_left;
    return false;
  }
  if (fault == Fault::kKill) raise(SIGKILL);
  return true;
}

ssize_t Pwrite(int fd, const void* data, size_t size, off_t at) {
  if (!Strikes()) return pwrite(fd, data, size, at);
  if (fault == Fault::kTornWriteThenKill) {
    if (pwrite(fd, data, size / 2, at) >= 0) raise(SIGKILL);
  }
  errno = ENOSPC;
  return -1;
}
ssize_t Write(int fd, const void* data, size_t size) {
  return Pwrite(fd, data, size, lseek(fd, 0, SEEK_CUR));
}
int Unlink(const char* path) {
  if (!Strikes()) return unlink(path);
  if (fault == Fault::kTornWriteThenKill) raise(SIGKILL);
  errno = EIO;
  return -1;
}
int Ftruncate(int fd, off_t size) {
  if (!Strikes()) return ftruncate(fd, size);
  if (fault == Fault::kTornWriteThenKill) raise(SIGKILL);
  errno = EIO;
  return -1;
}

template <typename F>
sqlite3_syscall_ptr Erased(F* function) {
  return reinterpret_cast<sqlite3_syscall_ptr>(function);
}

void Intercept() {
  sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
  ASSERT_NE(vfs, nullptr);
  int intercepted = 0;
  for (const auto& [name, function] :
       std::initializer_list<std::pair<const char*, sqlite3_syscall_ptr>>{
           {"pwrite", Erased(Pwrite)},
           {"pwrite64", Erased(Pwrite)},
           {"write", Erased(Write)},
           {"unlink", Erased(Unlink)},
           {"ftruncate", Erased(Ftruncate)}})
    intercepted += vfs->xSetSystemCall(vfs, name, function) == SQLITE_OK ? 1 : 0;
  ASSERT_EQ(intercepted, 5);
}

class Faults : public testing::Test {
 protected:
  void SetUp() override { Intercept(); }
  void TearDown() override {
    fault = Fault::kNone;
    sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
    vfs->xSetSystemCall(vfs, nullptr, nullptr);
  }
  static void Arm(Fault kind, int call) {
    fault = kind;
    calls_left = call;
  }
  // True when `work` was killed in its own process, false when it came to its end.
  static bool Killed(Fault kind, int call, const std::function<void()>& work) {
    const pid_t child = fork();
    if (child == 0) {
      Arm(kind, call);
      work();
      _exit(0);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    const bool killed = WIFSIGNALED(status);
    EXPECT_EQ(killed ? WTERMSIG(status) : SIGKILL, SIGKILL);
    return killed;
  }
};

// A look that is interrupted is in the file as a whole or not at all.
TEST_F(Faults, AProcessKilledAtAnyWriteLeavesTheLookOrNone) {
  for (const Fault kind : {Fault::kKill, Fault::kTornWriteThenKill}) {
    int call = 1;
    for (bool killed = true; killed; ++call) {
      const TempDir dir;
      const FakeClock clock;
      for (int look = 0; look < 2; ++look) {
        LookIdle(*Ledger::Open(dir.path(), clock, "boot"), Images({"idle", "used", "gone"}));
        clock.Advance(seconds(10));
      }
      killed = Killed(kind, call, [&] {
        Ledger::Open(dir.path(), clock, "boot")
            ->Observe(Images({"idle", "used", "new"}), {false, true, false});
      });
      clock.Advance(seconds(10));
      const auto after = Ledger::Open(dir.path(), clock, "boot");
      EXPECT_TRUE(after->durable());
      const auto ages = LookIdle(*after, Images({"idle", "used", "gone", "new"}));
      EXPECT_THAT(after->warnings(), IsEmpty());
      EXPECT_EQ(ages[0].unused_for, seconds(30)) << "call " << call;
      const bool recorded = ages[1].last_used.has_value();
      EXPECT_EQ(ages[1].unused_for, recorded ? seconds(0) : seconds(30)) << "call " << call;
      EXPECT_EQ(ages[2].unused_for, recorded ? seconds(0) : seconds(30)) << "call " << call;
      EXPECT_EQ(ages[2].just_seen, recorded);
      EXPECT_EQ(ages[3].unused_for, recorded ? seconds(10) : seconds(0)) << "call " << call;
      EXPECT_EQ(ages[3].just_seen, !recorded);
      EXPECT_TRUE(killed || recorded);
    }
    EXPECT_GT(call, 5) << "the look writes in several places";
  }
}

TEST_F(Faults, AProcessKilledWhileItMakesTheFileLeavesAUsableOne) {
  for (const Fault kind : {Fault::kKill, Fault::kTornWriteThenKill}) {
    int call = 1;
    for (bool killed = true; killed; ++call) {
      const TempDir dir;
      const FakeClock clock;
      killed = Killed(kind, call, [&] { Ledger::Open(dir.path(), clock, "boot"); });
      const auto after = Ledger::Open(dir.path(), clock, "boot");
      EXPECT_TRUE(after->durable()) << "call " << call;
      EXPECT_TRUE(LookIdle(*after, Images({"a"}))[0].just_seen);
      EXPECT_THAT(after->warnings(), IsEmpty()) << "call " << call;
    }
    EXPECT_GT(call, 5);
  }
}

// A full disk, from any write on, for one look: it goes on from memory, and back to the file.
TEST_F(Faults, AFullDiskCostsNothingButTheFile) {
  int call = 1;
  for (bool failed = true; failed; ++call) {
    const TempDir dir;
    const FakeClock clock;
    const auto ledger = Ledger::Open(dir.path(), clock, "boot");
    LookIdle(*ledger, Images({"idle", "used", "gone"}));
    clock.Advance(seconds(10));

    Arm(Fault::kDiskFull, call);
    auto ages = ledger->Observe(Images({"idle", "used", "new"}), {false, true, false});
    fault = Fault::kNone;
    failed = !ledger->durable();
    EXPECT_EQ(ages[0].unused_for, seconds(10)) << "call " << call;
    EXPECT_EQ(ages[1].unused_for, seconds(0));
    EXPECT_TRUE(ages[2].just_seen);
    EXPECT_EQ(ledger->warnings().size(), failed ? 1U : 0U);

    clock.Advance(seconds(10));
    const auto images = Images({"idle", "used", "new", "gone"});
    ages = LookIdle(*ledger, images);
    EXPECT_TRUE(ledger->durable());
    const auto read_back = Ledger::Open(dir.path(), clock, "boot");
    for (const auto& seen : {ages, LookIdle(*read_back, images)}) {
      EXPECT_EQ(seen[0].unused_for, seconds(20)) << "call " << call;
      EXPECT_EQ(seen[1].unused_for, seconds(0)) << "the use during the full disk is not forgotten";
      EXPECT_LE(seen[2].unused_for, seconds(10));
      EXPECT_EQ(seen[3].unused_for, seconds(0)) << "nor that it was gone";
    }
  }
  EXPECT_GT(call, 5);
}

TEST_F(Faults, ADiskThatIsFullAtTheStartIsUsedOnceItIsNot) {
  const TempDir dir;
  const FakeClock clock;
  Arm(Fault::kDiskFull, 1);
  const auto ledger = Ledger::Open(dir.path(), clock, "boot");
  EXPECT_FALSE(ledger->durable());
  LookIdle(*ledger, Images({"a"}));
  clock.Advance(seconds(4));
  EXPECT_EQ(LookIdle(*ledger, Images({"a"}))[0].unused_for, seconds(4));
  fault = Fault::kNone;
  LookIdle(*ledger, Images({"a"}));
  EXPECT_TRUE(ledger->durable());
  clock.Advance(seconds(4));
  const auto other = Ledger::Open(dir.path(), clock, "boot");
  EXPECT_LE(LookIdle(*other, Images({"a"}))[0].unused_for, seconds(8));
}

}  // namespace
}  // namespace imagesweep
