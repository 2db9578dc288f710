#include "tests/unit/state/faults.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <initializer_list>
#include <utility>

namespace imagesweep {
namespace {

Fault fault = Fault::kNone;
int calls_left = 0;

// True if this call or an earlier one fails.
bool Strikes() {
  if (fault == Fault::kNone) return false;
  if (calls_left > 1) {
    --calls_left;
    return false;
  }
  if (fault == Fault::kKill) raise(SIGKILL);
  return true;
}

int Fail(int code) {
  errno = fault == Fault::kReadOnly ? EROFS : code;
  return -1;
}

ssize_t Pwrite(int fd, const void* data, size_t size, off_t at) {
  if (!Strikes()) return pwrite(fd, data, size, at);
  if (fault == Fault::kTornWriteThenKill) {
    if (pwrite(fd, data, size / 2, at) >= 0) raise(SIGKILL);
  }
  return Fail(ENOSPC);
}
ssize_t Write(int fd, const void* data, size_t size) {
  return Pwrite(fd, data, size, lseek(fd, 0, SEEK_CUR));
}
int Unlink(const char* path) {
  if (!Strikes()) return unlink(path);
  if (fault == Fault::kTornWriteThenKill) raise(SIGKILL);
  return Fail(EIO);
}
int Ftruncate(int fd, off_t size) {
  if (!Strikes()) return ftruncate(fd, size);
  if (fault == Fault::kTornWriteThenKill) raise(SIGKILL);
  return Fail(EIO);
}
int Open(const char* path, int flags, int mode) {
  if (fault == Fault::kReadOnly && (flags & O_ACCMODE) != O_RDONLY) return Fail(EROFS);
  return open(path, flags, mode);
}

template <typename F>
sqlite3_syscall_ptr Erased(F* function) {
  return reinterpret_cast<sqlite3_syscall_ptr>(function);
}

}  // namespace

void Arm(Fault kind, int call) {
  fault = kind;
  calls_left = call;
}

// Source: sqlite.org/c3ref/vfs.html (xSetSystemCall), os_unix.c for the names.
void Faults::SetUp() {
  sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
  ASSERT_NE(vfs, nullptr);
  int intercepted = 0;
  for (const auto& [name, function] :
       std::initializer_list<std::pair<const char*, sqlite3_syscall_ptr>>{
           {"open", Erased(Open)},
           {"pwrite", Erased(Pwrite)},
           {"pwrite64", Erased(Pwrite)},
           {"write", Erased(Write)},
           {"unlink", Erased(Unlink)},
           {"ftruncate", Erased(Ftruncate)}})
    intercepted += vfs->xSetSystemCall(vfs, name, function) == SQLITE_OK ? 1 : 0;
  ASSERT_EQ(intercepted, 6);
}

void Faults::TearDown() {
  Disarm();
  sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
  vfs->xSetSystemCall(vfs, nullptr, nullptr);
}

bool Faults::Killed(Fault kind, int call, const std::function<void()>& work) {
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
  EXPECT_TRUE(killed || WEXITSTATUS(status) == 0);
  return killed;
}

}  // namespace imagesweep
