#include "agent/gc/interrupted_removals.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace imagesweep {
namespace {

constexpr auto kRemembered = std::chrono::hours(7 * 24);
// Longer than any run, so its removals are over.
constexpr auto kSurelyOver = std::chrono::hours(1);
// A removal in progress by another process deletes further names within this time.
constexpr Millis kUntilOthersMoveOn{2'000};
constexpr std::size_t kShown = 5;

// An image that lost some of its names.
struct InterruptedRemoval {
  RemovalEntry removal;
  Image image;  // as listed now
  std::vector<std::string> missing;
};

std::string Join(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kShown) text += " and " + std::to_string(names.size() - kShown) + " more";
  return text;
}

std::vector<InterruptedRemoval> FindInterrupted(const std::vector<RemovalEntry>& open,
                                                const std::vector<Image>& images) {
  std::unordered_map<std::string_view, const Image*> by_id;
  std::unordered_set<std::string_view> names;  // of all images
  for (const Image& image : images) {
    by_id.emplace(image.id.text(), &image);
    for (const auto* list : {&image.tags, &image.digests})
      for (const ImageName& name : *list) names.insert(name.text());
  }
  std::vector<InterruptedRemoval> interrupted;
  for (const RemovalEntry& removal : open) {
    const auto it = by_id.find(removal.id);
    if (it == by_id.end()) continue;
    InterruptedRemoval one{removal, *it->second, {}};
    for (const auto* list : {&removal.names, &removal.digests})
      for (const std::string& name : *list)
        if (!names.contains(name)) one.missing.push_back(name);
    interrupted.push_back(std::move(one));
  }
  return interrupted;
}

}  // namespace

RestoredNames RestoreInterrupted(History& history, RuntimeReader& runtime, NameRestorer* restorer,
                                 const Clock& clock, const std::string& run,
                                 const std::stop_token& stop) {
  RestoredNames restored;
  auto open = history.Removals({});
  if (!open) {
    restored.warnings.push_back("cannot check for interrupted removals: " + open.error().what);
    return restored;
  }
  const SystemTime now = clock.Now();
  std::erase_if(*open, [&](const RemovalEntry& removal) {
    return removal.done || removal.code == kUntagCode || removal.run == run ||
           now - removal.at > kRemembered;
  });
  if (open->empty()) return restored;
  auto images = runtime.ListImages(stop);
  if (!images) return restored;  // the run itself reports the error
  std::vector<InterruptedRemoval> interrupted = FindInterrupted(*open, *images);
  for (const InterruptedRemoval& one : interrupted)
    if (one.missing.empty() && now - one.removal.at > kSurelyOver)
      if (auto settled = history.Commit(one.removal.run, one.removal.id, false); !settled)
        restored.warnings.push_back("history: " + settled.error().what);
  const auto is_whole = [](const InterruptedRemoval& one) { return one.missing.empty(); };
  std::erase_if(interrupted, is_whole);
  if (interrupted.empty() || !clock.Sleep(kUntilOthersMoveOn, stop)) return restored;
  images = runtime.ListImages(stop);
  if (!images) return restored;
  for (const InterruptedRemoval& one : FindInterrupted(*open, *images)) {
    const bool same = std::ranges::any_of(interrupted, [&](const InterruptedRemoval& before) {
      return before.removal.run == one.removal.run && before.removal.id == one.removal.id &&
             before.missing == one.missing;
    });
    if (one.missing.empty() || !same) continue;
    const std::string what =
        ShownName(one.image) + " lost in an interrupted removal: " + Join(one.missing);
    const Status done =
        restorer == nullptr
            ? Status(Error{ErrorKind::kInvalid, "the CRI cannot add names to an image"})
            : restorer->RestoreNames(one.image, one.missing, stop);
    if (!done) {
      restored.warnings.push_back("cannot restore the names that " + what + " (" +
                                  done.error().what + ")");
      continue;
    }
    restored.any = true;
    restored.warnings.push_back("restored the names that " + what);
    if (auto settled = history.Commit(one.removal.run, one.removal.id, false); !settled)
      restored.warnings.push_back("history: " + settled.error().what);
  }
  return restored;
}

}  // namespace imagesweep
