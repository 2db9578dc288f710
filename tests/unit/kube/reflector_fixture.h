#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

#include "agent/kube/pods/pod_store.h"
#include "tests/unit/kube/objects.h"

namespace imagesweep::kube {

// A pod watch on a scripted server with a fake clock.
struct ReflectorTest : testing::Test {
  FakeClock clock;
  ScriptedHttp http{clock};
  std::vector<std::string> observed;
  RequestObserver observer = [this](auto verb, auto resource, auto code) {
    observed.push_back(std::string(verb) + " " + std::string(resource) + " " + std::string(code));
  };
  Lister lister{http, "/api/v1/pods", "pods", "fieldSelector=spec.nodeName%3Dnode1", observer};
  PodStore store;
  const SteadyTime start = clock.Steady();

  // Runs until the script ends.
  void Run(std::uint64_t seed = 1) {
    Reflector reflector(http, lister, store, clock, {.seed = seed}, observer);
    reflector.Run(http.stop.get_token());
  }

  // The images that the watch protects, or the reason why it cannot tell, in brackets.
  std::vector<std::string> Protected() const {
    const auto references = store.References();
    if (!references) return {"[" + references.error().what + "]"};
    std::vector<std::string> texts;
    for (const auto& reference : *references) texts.push_back(reference.text);
    std::ranges::sort(texts);
    return texts;
  }
  bool Blind() const { return !store.References(); }

  Millis elapsed() const { return std::chrono::duration_cast<Millis>(clock.Steady() - start); }
  std::size_t lists() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(http.asked, [](const auto& one) { return !one.watch; }));
  }
  // The shortest time between two requests.
  Millis ShortestGap() const {
    Millis shortest = std::chrono::hours(24);
    for (std::size_t i = 1; i < http.asked.size(); ++i)
      shortest = std::min(
          shortest, std::chrono::duration_cast<Millis>(http.asked[i].at - http.asked[i - 1].at));
    return shortest;
  }
};

}  // namespace imagesweep::kube
