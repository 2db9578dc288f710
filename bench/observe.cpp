#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "agent/daemon/cri_node_runtime.h"
#include "agent/runtime/cri/endpoint.h"

// The time to observe a node, in the order of a run (agent/gc/observe/observer.cpp) and without
// Kubernetes: cold, with a new connection and nothing remembered, and warm. The result is the best
// of some rounds, without the start of the process.
//
//     observe unix:///run/containerd/containerd.sock

namespace imagesweep {
namespace {

constexpr int kColdRounds = 5, kWarmRounds = 10;

struct Took {
  double all = std::numeric_limits<double>::infinity();  // milliseconds
  double layers = std::numeric_limits<double>::infinity();

  void Improve(const Took& other) {
    all = std::min(all, other.all);
    layers = std::min(layers, other.layers);
  }
};

template <typename T>
T Got(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().what);
  return *std::move(result);
}

class Node {
 public:
  Node(const cri::Endpoint& endpoint, const Clock& clock)
      : runtime_(MakeCriNodeRuntime(std::make_shared<cri::Connection>(endpoint), clock)),
        clock_(clock) {}

  Took Observe() {
    Took took;
    const SteadyTime begun = clock_.Steady();
    Got(runtime_->reader().Identity({}));
    const auto images = Got(runtime_->reader().ListImages({}));
    const SteadyTime listed = clock_.Steady();
    const auto graph = Got(runtime_->layers()->Read(images, {}));
    took.layers = Since(listed);
    Got(runtime_->reader().ReadUse({}));
    took.all = Since(begun);
    // An incomplete observation is faster than a valid one.
    if (const auto& unread = graph->metadata().unread(); !unread.empty())
      throw std::runtime_error("containerd was read only in part: " + unread.front().why);
    return took;
  }

 private:
  double Since(SteadyTime begun) const {
    return std::chrono::duration<double, std::milli>(clock_.Steady() - begun).count();
  }

  const std::unique_ptr<NodeRuntime> runtime_;
  const Clock& clock_;
};

void Measure(const char* flag) {
  const RealClock clock;
  const auto endpoint = Got(cri::ParseEndpoint(flag));
  Took cold, warm;
  std::unique_ptr<Node> node;
  for (int round = 0; round < kColdRounds; ++round) {
    const SteadyTime begun = clock.Steady();
    node.reset();
    node = std::make_unique<Node>(endpoint, clock);
    const std::chrono::duration<double, std::milli> made = clock.Steady() - begun;
    Took took = node->Observe();
    took.all += made.count();
    cold.Improve(took);
  }
  for (int round = 0; round < kWarmRounds; ++round) warm.Improve(node->Observe());
  std::printf(
      "{\"coldMs\": %.1f, \"warmMs\": %.1f, \"layersColdMs\": %.1f, \"layersWarmMs\": %.1f}\n",
      cold.all, warm.all, cold.layers, warm.layers);
}

}  // namespace
}  // namespace imagesweep

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s RUNTIME-ENDPOINT\n", argv[0]);
    return 2;
  }
  try {
    imagesweep::Measure(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "observe: %s\n", error.what());
    return 1;
  }
  return 0;
}
