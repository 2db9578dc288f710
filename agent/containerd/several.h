#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <optional>
#include <system_error>
#include <thread>
#include <type_traits>
#include <vector>

namespace imagesweep::containerd {

// Of small calls, so many at once take the least time together; each has a thread.
constexpr std::size_t kAtOnce = 8;

// Makes calls 0 … count - 1, up to kAtOnce of them at the same time, and returns when all have
// ended: what each gave, by its number.  They begin in order.  Once one gave something of which
// `ends` is true no other begins, and those that did not have no result; all before it have one.
// `call` and `ends` are used by several threads.
template <typename Call, typename Ends>
auto Several(std::size_t count, const Call& call, const Ends& ends) {
  std::vector<std::optional<std::invoke_result_t<const Call&, std::size_t>>> results(count);
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> ended = false;
  // Whoever has a number makes its call, so that there are no gaps.
  const auto work = [&] {
    while (!ended) {
      const std::size_t number = next++;
      if (number >= count) return;
      if (ends(results[number].emplace(call(number)))) ended = true;
    }
  };
  std::vector<std::jthread> others;
  try {
    while (others.size() + 1 < std::min(count, kAtOnce)) others.emplace_back(work);
  } catch (const std::system_error&) {
    // No more threads for us: fewer do as well, this one alone if need be.
  }
  work();
  others.clear();
  return results;
}

template <typename Call>
auto Several(std::size_t count, const Call& call) {
  return Several(count, call, [](const auto&) { return false; });
}

}  // namespace imagesweep::containerd
