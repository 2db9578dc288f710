#include "agent/kube/workloads/workload_set.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <string>

namespace imagesweep::kube {
namespace {

using Objects = std::vector<const WorkloadObject*>;

// The owner of an object as a key. Ordered, for a map.
struct OwnerKey {
  std::string name_space;
  WorkloadOwner owner;
  friend auto operator<=>(const OwnerKey&, const OwnerKey&) = default;
};

struct Owner {
  std::string kind;
  std::string name;
  std::int64_t revision = 0;
  bool scaled_to_zero = false;
};

bool IsRevision(const WorkloadObject& object) {
  return object.kind == WorkloadKind::kReplicaSet ||
         object.kind == WorkloadKind::kControllerRevision;
}

// Deployment, StatefulSet, and DaemonSet, which are among the objects if they exist.
bool IsBuiltIn(const WorkloadOwner& owner) {
  return owner.group == "apps" &&
         (owner.kind == "Deployment" || owner.kind == "StatefulSet" || owner.kind == "DaemonSet");
}

OwnerKey KeyOf(const WorkloadObject& object) {
  const bool batch = object.kind == WorkloadKind::kCronJob || object.kind == WorkloadKind::kJob;
  return {object.name_space,
          {batch ? "batch" : "apps", ResourceOf(object.kind).name, object.name, object.uid}};
}

// Whether the children of one owner can be ranked. All need a revision number: age is no measure,
// because a rollback makes an old revision the newest. A third-party controller is only known to
// run those of its ReplicaSets that have pods, so one of them must have some. Its
// ControllerRevisions have no known meaning.
bool HaveRanks(const Objects& children, const WorkloadObject* parent) {
  const auto numbered = [](const auto* child) { return child->revision > 0; };
  if (children.empty() || !std::ranges::all_of(children, numbered)) return false;
  if (IsBuiltIn(*children.front()->owner)) return parent != nullptr;
  return std::ranges::all_of(
             children,
             [](const auto* child) { return child->kind == WorkloadKind::kReplicaSet; }) &&
         std::ranges::any_of(children, [](const auto* child) { return child->runs; });
}

class Joiner {
 public:
  void Add(const WorkloadObject& object, const Owner& owner, std::int64_t revision,
           int revisions_back) {
    for (const WorkloadImage& image : object.images)
      references.push_back({image.text, owner.kind, object.name_space, owner.name, image.container,
                            revision, revisions_back, owner.scaled_to_zero});
  }

  // `parent` is null if its kind is not read.
  void AddChildren(const Objects& children, const WorkloadObject* parent) {
    const WorkloadOwner& named = *children.front()->owner;
    Owner owner{named.kind, named.name, 0, parent != nullptr && parent->scaled_to_zero};
    Objects living;
    std::ranges::copy_if(children, std::back_inserter(living),
                         [](const auto* child) { return !child->being_deleted; });
    const bool ranked = HaveRanks(living, parent);
    std::vector<std::int64_t> order;  // newest first
    for (const auto* child : living) order.push_back(child->revision);
    std::ranges::sort(order, std::greater());
    order.erase(std::unique(order.begin(), order.end()), order.end());
    for (const auto* child : children) {
      const bool runs = child->being_deleted || child->runs ||
                        (parent != nullptr && parent->current_revision == child->name);
      int back = 0;
      if (ranked && !runs)
        back = static_cast<int>(std::ranges::lower_bound(order, child->revision, std::greater()) -
                                order.begin());
      Add(*child, owner, child->revision, back);
    }
  }

  void AddItself(const WorkloadObject& object, std::int64_t revision, bool scaled_to_zero) {
    Add(object, {ResourceOf(object.kind).name, object.name, revision, scaled_to_zero}, revision, 0);
  }

  std::vector<WorkloadReference> references;
};

}  // namespace

std::vector<WorkloadReference> JoinWorkloads(
    const std::vector<std::shared_ptr<const WorkloadObject>>& objects) {
  std::map<OwnerKey, const WorkloadObject*> parents;
  std::map<OwnerKey, Objects> children;
  for (const auto& object : objects) {
    if (IsRevision(*object) && object->owner) {
      children[{object->name_space, *object->owner}].push_back(object.get());
    } else if (!IsRevision(*object)) {
      parents[KeyOf(*object)] = object.get();
    }
  }
  Joiner joiner;
  for (const auto& [key, of_one] : children) {
    const auto found = parents.find(key);
    const WorkloadObject* parent = found == parents.end() ? nullptr : found->second;
    if (parent == nullptr && IsBuiltIn(key.owner)) {
      // Every old ReplicaSet has no replicas, which says nothing about its Deployment.
      for (const auto* orphan : of_one) joiner.AddItself(*orphan, orphan->revision, false);
    } else {
      joiner.AddChildren(of_one, parent);
    }
  }
  for (const auto& object : objects) {
    if (IsRevision(*object) && object->owner) continue;
    std::int64_t revision = object->revision;
    // The revisions of a StatefulSet or DaemonSet have the number, the object itself does not.
    if (const auto own = children.find(KeyOf(*object)); own != children.end() && revision == 0)
      for (const auto* child : own->second)
        if (!child->being_deleted) revision = std::max(revision, child->revision);
    joiner.AddItself(*object, revision, object->scaled_to_zero);
  }
  std::ranges::sort(joiner.references);
  auto& all = joiner.references;
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return std::move(all);
}

}  // namespace imagesweep::kube
