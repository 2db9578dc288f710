#pragma once

#include <gtest/gtest.h>

#include <functional>

namespace imagesweep {

// Every change that SQLite makes to the disk goes through here, so a process can be killed, or the
// disk be full, at each of them in turn.
enum class Fault { kNone, kKill, kTornWriteThenKill, kDiskFull, kReadOnly };

// From the call-th change on; of kReadOnly also the opening for writing.  In this process.
void Arm(Fault kind, int call = 1);
inline void Disarm() {
  Arm(Fault::kNone);
}

class Faults : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;
  // True when `work` was killed in its own process, false when it came to its end.
  static bool Killed(Fault kind, int call, const std::function<void()>& work);
};

}  // namespace imagesweep
