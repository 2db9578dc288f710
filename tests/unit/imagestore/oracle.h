#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "tests/unit/imagestore/spec.h"

namespace imagesweep::layers {

// Slow garbage collection on texts: it deletes records, marks from all roots, sweeps, and finds
// what was freed. Written from containerd's core/metadata/gc.go, independent of the graph's code.
// Node: (type, namespace, key). The key of a snapshot is "snapshotter/name".
class Oracle {
 public:
  using Item = std::tuple<char, std::string, std::string>;  // 'c' 's' 'i' 'k'; capitals: flat

  explicit Oracle(const Spec& spec) : spec_(spec), now_(Mark({})) {}

  // Returns what a collection frees after the removal of the images, without what it would free
  // anyway.
  Reclaim FreedBy(const std::set<std::string>& ids, const std::set<std::string>& listed) const {
    std::set<std::string> names;
    for (const auto& its : spec_.images) {
      if (its.space != spec_.cri) continue;
      const auto owners = Owners(its.target, its.name, listed);
      if (!owners.empty() &&
          std::ranges::all_of(owners, [&](const auto& id) { return ids.contains(id); }))
        names.insert(its.name);
    }
    return Difference(now_, Mark(names));
  }
  Reclaim Dead() const {
    std::set<Item> everything;
    for (const auto& its : spec_.blobs) everything.emplace('c', its.space, its.digest);
    for (const auto& its : spec_.snapshots)
      everything.emplace('s', its.space, its.snapshotter + "/" + its.key);
    return Difference(everything, now_);
  }

 private:
  static std::string Kept(const std::string& key, const std::string& prefix) {
    return key.starts_with(prefix) ? key.substr(prefix.size()) : std::string("\n");
  }

  static bool IsContent(const std::string& key) {
    const std::string rest = Kept(key, "containerd.io/gc.ref.content");
    return rest.empty() || rest[0] == '.' || rest[0] == '/';
  }

  std::set<std::string> Owners(const std::string& target, const std::string& name,
                               const std::set<std::string>& listed) const {
    std::set<std::string> owners, seen;
    std::vector<std::string> pending{target};
    while (!pending.empty()) {
      const std::string digest = pending.back();
      pending.pop_back();
      if (listed.contains(digest)) {
        owners.insert(digest);
        continue;
      }
      if (!seen.insert(digest).second) continue;
      for (const auto& its : spec_.blobs)
        if (its.space == spec_.cri && its.digest == digest)
          for (const auto& [key, value] : its.labels)
            if (IsContent(key)) pending.push_back(value);
    }
    if (owners.empty() && listed.contains(name)) owners.insert(name);
    return owners;
  }

  // References that labels state, and the back references to this node.
  void Send(const Spec::Tags& labels, const std::string& space, std::vector<Item>& to) const {
    for (const auto& [key, value] : labels) {
      if (IsContent(key)) to.emplace_back('c', space, value);
      const std::string snapshot = Kept(key, "containerd.io/gc.ref.snapshot.");
      if (snapshot != "\n")
        to.emplace_back('s', space, snapshot.substr(0, snapshot.find('/')) + "/" + value);
      if (key == "containerd.io/gc.ref.image") to.emplace_back('i', space, value);
    }
  }
  void SendBack(const Spec::Tags& labels, const std::string& space, const Item& self,
                std::map<Item, std::vector<Item>>& back) const {
    for (const auto& [key, value] : labels) {
      if (Kept(key, "containerd.io/gc.bref.content").empty())
        back[{'c', space, value}].push_back(self);
      if (Kept(key, "containerd.io/gc.bref.image").empty())
        back[{'i', space, value}].push_back(self);
      if (Kept(key, "containerd.io/gc.bref.container").empty())
        back[{'k', space, value}].push_back(self);
      const std::string snapshot = Kept(key, "containerd.io/gc.bref.snapshot.");
      if (snapshot != "\n") back[{'s', space, snapshot + "/" + value}].push_back(self);
    }
  }

  std::set<Item> Mark(const std::set<std::string>& deleted) const {
    std::vector<Item> pending;
    std::map<Item, std::vector<Item>> back;
    std::map<Item, std::vector<Item>> forward;
    for (const auto& its : spec_.images) {
      if (its.space == spec_.cri && deleted.contains(its.name)) continue;
      const Item self{'i', its.space, its.name};
      if (its.labels.contains("expired"))
        SendBack(its.labels, its.space, self, back);
      else
        pending.push_back(self);
      forward[{'I', its.space, its.name}].emplace_back('C', its.space, its.target);
      auto& to = forward[self];
      to.emplace_back('c', its.space, its.target);
      Send(its.labels, its.space, to);
    }
    for (const auto& its : spec_.blobs) {
      const Item self{'c', its.space, its.digest};
      Send(its.labels, its.space, forward[self]);
      SendBack(its.labels, its.space, self, back);
      if (its.labels.contains("containerd.io/gc.root")) pending.push_back(self);
    }
    for (const auto& its : spec_.snapshots) {
      const Item self{'s', its.space, its.snapshotter + "/" + its.key};
      const Item flat{'S', its.space, its.snapshotter + "/" + its.key};
      if (!its.parent.empty()) {
        forward[self].emplace_back('s', its.space, its.snapshotter + "/" + its.parent);
        forward[flat].emplace_back('S', its.space, its.snapshotter + "/" + its.parent);
      }
      Send(its.labels, its.space, forward[self]);
      SendBack(its.labels, its.space, self, back);
      if (its.labels.contains("containerd.io/gc.root")) pending.push_back(self);
    }
    for (const auto& its : spec_.containers) {
      const Item self{'k', its.space, its.id};
      pending.push_back(self);
      forward[self].emplace_back('s', its.space, its.snapshotter + "/" + its.key);
      Send(its.labels, its.space, forward[self]);
    }
    for (const auto& its : spec_.leases) {
      if (its.labels.contains("expired")) continue;
      const bool flat = its.labels.contains("containerd.io/gc.flat");
      for (const auto& [type, id] : its.resources) {
        if (type == "content") pending.emplace_back(flat ? 'C' : 'c', its.space, id);
        if (type == "images") pending.emplace_back(flat ? 'I' : 'i', its.space, id);
        if (type.starts_with("snapshots/"))
          pending.emplace_back(flat ? 'S' : 's', its.space, type.substr(10) + "/" + id);
      }
    }
    for (const auto& [space, expected] : spec_.ingests) pending.emplace_back('c', space, expected);
    for (const auto& [space, labels] : spec_.sandboxes) Send(labels, space, pending);

    std::set<Item> marked;
    while (!pending.empty()) {
      const Item item = pending.back();
      pending.pop_back();
      if (!marked.insert(item).second) continue;
      for (const auto* edges : {&forward, &back})
        if (const auto found = edges->find(item); found != edges->end())
          pending.insert(pending.end(), found->second.begin(), found->second.end());
    }
    std::set<Item> kept;
    for (const auto& [type, space, key] : marked)
      kept.emplace(type == 'C' ? 'c' : type == 'S' ? 's' : type, space, key);
    return kept;
  }

  Reclaim Difference(const std::set<Item>& before, const std::set<Item>& after) const {
    const auto on_disk = [&](const std::set<Item>& items) {
      std::map<std::string, std::uint64_t> files;
      for (const auto& its : spec_.blobs)
        if (items.contains({'c', its.space, its.digest})) files[its.digest] = its.bytes;
      return files;
    };
    Reclaim freed;
    const auto left = on_disk(after);
    for (const auto& [digest, bytes] : on_disk(before)) {
      if (left.contains(digest)) continue;
      ++freed.blobs;
      ++freed.inodes;
      freed.bytes += (bytes + 4095) / 4096 * 4096;
    }
    for (const auto& its : spec_.snapshots) {
      const Item self{'s', its.space, its.snapshotter + "/" + its.key};
      if (!before.contains(self) || after.contains(self)) continue;
      ++freed.snapshots;
      freed.bytes += 8192;
      freed.inodes += 2;
      if (its.usage) {
        freed.bytes += its.usage->bytes;
        freed.inodes += its.usage->inodes;
      } else {
        ++freed.unsized;
      }
      if (its.snapshotter != "overlayfs") ++freed.estimated;
    }
    return freed;
  }

  const Spec& spec_;
  const std::set<Item> now_;
};

}  // namespace imagesweep::layers
