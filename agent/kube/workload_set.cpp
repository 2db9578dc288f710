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

// Orders the children of one owner; the greatest is the newest.  Empty when they cannot be
// compared. A Deployment's ReplicaSets and a StatefulSet's revisions have numbers; where one has
// none, age is no measure, since a rollback makes an old one the newest.
std::vector<std::string> Ranks(const Objects& children, bool built_in) {
  std::vector<std::string> ranks;
  const auto all = [&](auto has) { return std::ranges::all_of(children, has); };
  if (all([](const auto* child) { return child->revision > 0; })) {
    for (const auto* child : children) {
      const std::string number = std::to_string(child->revision);
      ranks.push_back(std::string(20 - number.size(), '0') + number);
    }
  } else if (!built_in && all([](const auto* child) { return !child->created.empty(); })) {
    for (const auto* child : children) ranks.push_back(child->created);
  }
  return ranks;
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
    const bool built_in =
        named.kind == "Deployment" || named.kind == "StatefulSet" || named.kind == "DaemonSet";
    const bool orphans = built_in && parent == nullptr;
    const auto ranks = orphans ? std::vector<std::string>() : Ranks(children, built_in);
    std::vector<std::string> order = ranks;
    std::ranges::sort(order, std::greater());
    order.erase(std::unique(order.begin(), order.end()), order.end());
    for (std::size_t at = 0; at < children.size(); ++at) {
      const WorkloadObject& child = *children[at];
      const bool runs = child.runs || (parent != nullptr && parent->current_revision == child.name);
      int back = 0;
      if (!ranks.empty() && !runs)
        back = static_cast<int>(std::ranges::lower_bound(order, ranks[at], std::greater()) -
                                order.begin());
      Add(child, owner, child.revision, back);
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
  const auto twice = std::ranges::unique(joiner.references);
  joiner.references.erase(twice.begin(), twice.end());
  return std::move(joiner.references);
}

}  // namespace imagesweep::kube
