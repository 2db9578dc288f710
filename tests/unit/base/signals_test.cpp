#include "agent/base/signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <future>

namespace imagesweep {
namespace {

TEST(SignalWaiter, RequestsStopOnASignal) {
  for (const int signal : {SIGTERM, SIGINT}) {
    const std::stop_source stop;
    std::promise<void> asked;
    const std::stop_callback callback(stop.get_token(), [&] { asked.set_value(); });
    const SignalWaiter waiter(stop);
    ASSERT_EQ(kill(getpid(), signal), 0);
    EXPECT_EQ(asked.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
  }
}

TEST(SignalWaiter, DoesNotRequestStopWhenDestroyed) {
  const std::stop_source stop;
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 200; ++i) const SignalWaiter waiter(stop);  // early and late
  EXPECT_FALSE(stop.stop_requested());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10)) << "each at once";
}

}  // namespace
}  // namespace imagesweep
