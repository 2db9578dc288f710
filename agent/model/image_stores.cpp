#include "agent/model/image_stores.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace imagesweep {
namespace {

void Add(const Amount& more, Amount& sum) {
  sum.images += more.images;
  sum.bytes += more.bytes;
}

std::string_view AfterLast(std::string_view text, char separator) {
  return text.substr(text.rfind(separator) + 1);  // npos + 1 is 0
}

// The hexadecimal digits of the ID: CRI-O writes no "sha256:".
std::string_view HexOf(const ImageId& id) {
  return AfterLast(id.text(), ':');
}

// Joins images that share an identifier, by union-find.
class CopyGroups {
 public:
  std::size_t Add() {
    parents_.push_back(parents_.size());
    return parents_.back();
  }
  std::size_t Find(std::size_t at) {
    while (parents_[at] != at) at = parents_[at] = parents_[parents_[at]];
    return at;
  }
  void Join(std::size_t one, std::size_t other) { parents_[Find(other)] = Find(one); }

 private:
  std::vector<std::size_t> parents_;
};

std::string_view NameOf(const CommonImage& image, std::span<const StoreReading> stores) {
  const CommonImage::Copy& first = image.copies.front();
  return stores[first.store].store->seen.images[first.image].display_name();
}

std::vector<CommonImage> FindCommon(std::span<const StoreReading> stores) {
  std::vector<CommonImage::Copy> all;
  CopyGroups groups;
  std::unordered_map<std::string_view, std::size_t> by_id;  // of one image with this ID
  for (StorePos at = 0; at < stores.size(); ++at) {
    const auto& images = stores[at].store->seen.images;
    for (const ImagePos image : Positions(images)) {
      all.push_back({at, image});
      const std::size_t added = groups.Add();
      groups.Join(by_id.emplace(HexOf(images[image].id), added).first->second, added);
    }
  }
  for (std::size_t at = 0; at < all.size(); ++at)
    for (const ImageName& digest : stores[all[at].store].store->seen.images[all[at].image].digests)
      if (const auto found = by_id.find(AfterLast(digest.text(), ':')); found != by_id.end())
        groups.Join(found->second, at);

  std::unordered_map<std::size_t, CommonImage> joined;
  for (std::size_t at = 0; at < all.size(); ++at) joined[groups.Find(at)].copies.push_back(all[at]);
  std::vector<CommonImage> common;
  for (auto& [group, image] : joined)
    if (image.copies.front().store != image.copies.back().store) common.push_back(std::move(image));
  std::ranges::sort(common, {}, [&](const CommonImage& image) {
    const CommonImage::Copy& first = image.copies.front();
    return std::tuple(NameOf(image, stores), first.store, first.image);
  });
  return common;
}

std::vector<CommonDisk> FindDisks(std::span<const StoreReading> stores) {
  std::vector<CommonDisk> disks;
  std::unordered_map<std::string_view, std::size_t> by_file_system;
  for (StorePos at = 0; at < stores.size(); ++at)
    for (const StoreDisk& disk : stores[at].store->disks) {
      const auto [found, is_new] = by_file_system.emplace(disk.file_system, disks.size());
      if (is_new) disks.push_back({disk.usage, {}});
      auto& on_it = disks[found->second].stores;
      if (on_it.empty() || on_it.back() != at) on_it.push_back(at);
    }
  return disks;
}

}  // namespace

std::string_view ToString(StoreUse use) {
  switch (use) {
    case StoreUse::kInUse:
      return "InUse";
    case StoreUse::kPinned:
      return "Pinned";
    case StoreUse::kIdle:
      return "Idle";
  }
  return "";
}

StoreUse UseOf(const Decision& decision) {
  switch (decision.code) {
    case Code::kInUse:
      return StoreUse::kInUse;
    case Code::kPinned:
    case Code::kSandbox:
      return StoreUse::kPinned;
    default:
      return StoreUse::kIdle;
  }
}

StoreTotals TotalsOf(const ImageStore& store) {
  StoreTotals totals;
  for (const ImagePos at : Positions(store.seen.images)) {
    const Amount one{1, store.seen.images[at].size_bytes};
    Add(one, totals.all);
    const StoreUse use = UseOf(store.decisions[at]);
    Add(one, use == StoreUse::kInUse    ? totals.in_use
             : use == StoreUse::kPinned ? totals.pinned
                                        : totals.idle);
  }
  return totals;
}

std::optional<StoresSummary> Summarize(std::span<const StoreReading> stores) {
  StoresSummary summary;
  for (const StoreReading& reading : stores) {
    if (!reading.store) return std::nullopt;
    const StoreTotals its = TotalsOf(*reading.store);
    Add(its.all, summary.totals.all);
    Add(its.in_use, summary.totals.in_use);
    Add(its.pinned, summary.totals.pinned);
    Add(its.idle, summary.totals.idle);
    summary.all_disks_read = summary.all_disks_read && reading.store->all_disks_read;
  }
  summary.common = FindCommon(stores);
  summary.disks = FindDisks(stores);
  return summary;
}

}  // namespace imagesweep
