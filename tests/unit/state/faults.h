#pragma once

#include <gtest/gtest.h>

#include <functional>

namespace imagesweep {

// Every change that SQLite makes to the disk passes through here, so a test can kill the process,
// or fill the disk, at each of them.
enum class Fault { kNone, kKill, kTornWriteThenKill, kDiskFull, kReadOnly };

// From the call-th change on, in this process. For kReadOnly also opening for writing.
void Arm(Fault kind, int call = 1);
inline void Disarm() {
  Arm(Fault::kNone);
}

class Faults : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;
  // True if `work` was killed in its own process, false if it completed.
  static bool Killed(Fault kind, int call, const std::function<void()>& work);
};

}  // namespace imagesweep
