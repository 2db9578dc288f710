#include "agent/kube/workload_set.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string>

namespace imagesweep::kube {
namespace {

using Objects = std::vector<const WorkloadObject*>;

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

bool IsBuiltIn(const std::string& kind) {
  return kind == "Deployment" || kind == "StatefulSet" || kind == "DaemonSet";
}

// Whether the children of one owner can be told old from new.  All need a number: age is no
// measure, since a rollback makes an old one the newest.  A controller that is not Kubernetes' own
// is only known to run those of its ReplicaSets that have pods, so one of them must; what it keeps
// in ControllerRevisions is its own affair.
bool HaveRanks(const Objects& children, const WorkloadObject* parent) {
  const auto numbered = [](const auto* child) { return child->revision > 0; };
  if (!std::ranges::all_of(children, numbered)) return false;
  if (IsBuiltIn(children.front()->owner->kind)) return parent != nullptr;
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

  // `parent` is null when it is of another kind, or was not seen.
  void AddChildren(const Objects& children, const WorkloadObject* parent) {
    const WorkloadOwner& named = *children.front()->owner;
    Owner owner{named.kind, named.name, 0, parent != nullptr && parent->scaled_to_zero};
    const bool ranked = HaveRanks(children, parent);
    std::vector<std::int64_t> order;  // the newest first
    for (const auto* child : children) order.push_back(child->revision);
    std::ranges::sort(order, std::greater());
    order.erase(std::unique(order.begin(), order.end()), order.end());
    for (const auto* child : children) {
      const bool runs =
          child->runs || (parent != nullptr && parent->current_revision == child->name);
      int back = 0;
      if (ranked && !runs)
        back = static_cast<int>(std::ranges::lower_bound(order, child->revision, std::greater()) -
                                order.begin());
      Add(*child, owner, child->revision, back);
    }
  }

  std::vector<WorkloadReference> references;
};

}  // namespace

std::vector<WorkloadReference> JoinWorkloads(
    const std::vector<std::shared_ptr<const WorkloadObject>>& objects) {
  std::map<std::string, const WorkloadObject*> parents;  // by uid
  std::map<std::string, Objects> children;               // by the owner's uid
  for (const auto& object : objects) {
    if (IsRevision(*object) && object->owner) {
      children[object->owner->uid].push_back(object.get());
    } else if (!IsRevision(*object)) {
      parents[object->uid] = object.get();
    }
  }
  Joiner joiner;
  for (const auto& [uid, of_one] : children) {
    const auto parent = parents.find(uid);
    joiner.AddChildren(of_one, parent == parents.end() ? nullptr : parent->second);
  }
  for (const auto& object : objects) {
    if (IsRevision(*object) && object->owner) continue;
    Owner owner{ResourceOf(object->kind).name, object->name, object->revision,
                object->scaled_to_zero};
    // Those of a StatefulSet or DaemonSet have the number, it has not.
    if (const auto own = children.find(object->uid); own != children.end() && owner.revision == 0)
      for (const auto* child : own->second)
        owner.revision = std::max(owner.revision, child->revision);
    joiner.Add(*object, owner, owner.revision, 0);
  }
  std::ranges::sort(joiner.references);
  auto& all = joiner.references;
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return std::move(all);
}

}  // namespace imagesweep::kube
