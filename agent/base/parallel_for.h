#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <optional>
#include <system_error>
#include <thread>
#include <type_traits>
#include <vector>

namespace imagesweep {

// With this many small calls at once, all of them together take the least time. Each has a thread.
constexpr std::size_t kMaxParallelCalls = 8;

// Makes `call(0)` to `call(count - 1)`, up to kMaxParallelCalls of them at once, and returns their
// results when all have ended. The calls begin in this order. After a result for which `ends` is
// true, no further call begins, so the results may end with empty ones. `call` and `ends` run on
// several threads.
template <typename Call, typename Ends>
auto ParallelFor(std::size_t count, const Call& call, const Ends& ends) {
  std::vector<std::optional<std::invoke_result_t<const Call&, std::size_t>>> results(count);
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> ended = false;
  // A thread always makes the call whose number it took, so there are no gaps.
  const auto work = [&] {
    while (!ended) {
      const std::size_t number = next++;
      if (number >= count) return;
      if (ends(results[number].emplace(call(number)))) ended = true;
    }
  };
  std::vector<std::jthread> others;
  try {
    while (others.size() + 1 < std::min(count, kMaxParallelCalls)) others.emplace_back(work);
  } catch (const std::system_error&) {
    // No more threads are available. Fewer are enough, even this one alone.
  }
  work();
  others.clear();
  return results;
}

template <typename Call>
auto ParallelFor(std::size_t count, const Call& call) {
  return ParallelFor(count, call, [](const auto&) { return false; });
}

}  // namespace imagesweep
