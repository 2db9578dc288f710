#include "agent/kube/pods/pod_store.h"

#include <utility>

namespace imagesweep::kube {

void PodStore::Remember(State& state, const Pod& pod) {
  for (const ImageReference& reference : pod.references) {
    ImageReference& known = state.recent.try_emplace(reference.text, reference).first->second;
    known.chosen = known.chosen || reference.chosen;
  }
}

void PodStore::Start() {
  staged_.clear();
}

Status PodStore::Take(const Json& item) {
  auto pod = ParsePod(item);
  if (!pod) return std::move(pod).error();
  if (pod->references.empty()) return Done{};  // most finished pods
  const std::string uid = pod->key.uid;
  staged_[uid] = std::make_shared<const Pod>(*std::move(pod));
  return Done{};
}

Status PodStore::Replace(const ObjectList& list) {
  if (!list.items.empty()) Start();
  for (const Json& item : list.items)
    if (auto taken = Take(item); !taken) return taken;
  ByUid pods = std::exchange(staged_, {});
  Found(state_.With([&](State& state) {
    state.pods = std::move(pods);
    state.version = list.resource_version;
    for (const auto& [uid, pod] : state.pods) Remember(state, *pod);
    const bool was_lost = std::exchange(state.listed, true) && state.lost;
    // A list at the end of a healthy watch leaves no gap, and happens every few minutes.
    state.recent_complete = state.recent_complete && !was_lost;
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
    if (type == EventType::kDeleted || pod->references.empty()) {
      state.pods.erase(pod->key.uid);
    } else {
      state.pods[pod->key.uid] = pod;
    }
    return 0;
  });
  return Done{};
}

void PodStore::OnSynced() {
  Found(state_.With([](State& state) {
    if (!state.listed || !state.lost) return false;
    state.lost.reset();
    return true;
  }));
}

void PodStore::OnProgress(SteadyTime at) {
  state_.With([&](State& state) {
    state.last_progress_at = at;
    return 0;
  });
}

void PodStore::Found(bool was_lost) const {
  if (was_lost && on_back_) on_back_();
}

void PodStore::OnDisconnected(const Error& why) {
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

std::optional<SteadyTime> PodStore::LastProgressAt() const {
  return state_.With([](const State& state) { return state.last_progress_at; });
}

Recent PodStore::DrainRecent() {
  auto [recent, complete] = state_.With([](State& state) {
    auto taken = std::exchange(state.recent, {});
    // References that exist now also exist at the start of the next interval.
    for (const auto& [uid, pod] : state.pods) Remember(state, *pod);
    return std::pair(std::move(taken), std::exchange(state.recent_complete, true));
  });
  Recent all{{}, complete};
  all.references.reserve(recent.size());
  for (auto& [text, reference] : recent) all.references.push_back(std::move(reference));
  return all;
}

}  // namespace imagesweep::kube
