#include "agent/runtime/use_memory.h"

#include <utility>

namespace imagesweep {

bool UseMemory::Remember(const std::string& image, const std::string& container) {
  if (image.empty()) return true;
  return state_.With([&](State& state) {
    if (state.containers.contains(image)) return true;
    if (state.containers.size() >= max_names_) {
      state.complete = false;
      return false;
    }
    state.containers.emplace(image, container);
    return true;
  });
}

void UseMemory::SetDisconnected(bool disconnected) {
  const SteadyTime now = clock_.Steady();
  state_.With([&](State& state) {
    state.disconnected = disconnected;
    state.since = disconnected ? std::nullopt : std::optional(now);
    if (disconnected) state.complete = false;
  });
}

void UseMemory::Clear() {
  state_.With([](State& state) { state = {}; });
}

UseSource::Uses UseMemory::Drain() {
  const State state = state_.With([](State& current) {
    return std::exchange(current,
                         State{{}, !current.disconnected, current.disconnected, current.since});
  });
  UseSource::Uses uses{{}, state.complete, state.since};
  uses.references.reserve(state.containers.size());
  for (const auto& [image, container] : state.containers) {
    ImageUser by;
    by.kind = ImageUserKind::kContainer;
    by.container = container;
    uses.references.push_back({image, {}, std::move(by)});
  }
  return uses;
}

}  // namespace imagesweep
