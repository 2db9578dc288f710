#include "agent/kube/pod_store.h"

#include <utility>

namespace imagesweep::kube {

void PodStore::Remember(State& state, const Pod& pod) {
  for (const ImageReference& reference : pod.references)
    state.recent.try_emplace(reference.text, reference);
}

Status PodStore::Replace(const ObjectList& list) {
  std::map<std::string, std::shared_ptr<const Pod>> pods;
  for (const Json& item : list.items) {
    auto pod = ParsePod(item);
    if (!pod) return std::move(pod).error();
    const std::string uid = pod->key.uid;
    pods[uid] = std::make_shared<const Pod>(*std::move(pod));
  }
  Found(state_.With([&](State& state) {
    state.pods = std::move(pods);
    state.version = list.resource_version;
    for (const auto& [uid, pod] : state.pods) Remember(state, *pod);
    const bool was_lost = std::exchange(state.listed, true) && state.lost;
    state.lost.reset();
    return was_lost;
  }));
  return Done{};
}

Status PodStore::Apply(EventType type, const Json& object) {
  auto parsed = ParsePod(object);
  if (!parsed) return std::move(parsed).error();
  const auto pod = std::make_shared<const Pod>(*std::move(parsed));
  state_.With([&](State& state) {
    Remember(state, *pod);
    state.version = pod->resource_version;
    if (type == EventType::kDeleted) {
      state.pods.erase(pod->key.uid);
    } else {
      state.pods[pod->key.uid] = pod;
    }
    return 0;
  });
  return Done{};
}

void PodStore::Confirm() {
  Found(state_.With([](State& state) {
    if (!state.listed || !state.lost) return false;
    state.lost.reset();
    return true;
  }));
}

void PodStore::Found(bool was_lost) const {
  if (was_lost && on_back_) on_back_();
}

void PodStore::Lose(const Error& why) {
  state_.With([&](State& state) {
    state.lost = why;
    return 0;
  });
}

Result<std::vector<ImageReference>> PodStore::References() const {
  const auto [pods, lost] =
      state_.With([](const State& state) { return std::pair(state.pods, state.lost); });
  if (lost) return Error(*lost);
  std::vector<ImageReference> all;
  for (const auto& [uid, pod] : pods)
    all.insert(all.end(), pod->references.begin(), pod->references.end());
  return all;
}

std::string PodStore::NewestVersion() const {
  return state_.With([](const State& state) { return state.version; });
}

std::vector<ImageReference> PodStore::DrainRecent() {
  auto recent = state_.With([](State& state) {
    auto taken = std::exchange(state.recent, {});
    // What is there now is there at the start of the next interval too.
    for (const auto& [uid, pod] : state.pods) Remember(state, *pod);
    return taken;
  });
  std::vector<ImageReference> all;
  all.reserve(recent.size());
  for (auto& [text, reference] : recent) all.push_back(std::move(reference));
  return all;
}

}  // namespace imagesweep::kube
