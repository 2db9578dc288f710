#include "agent/layers/breakdown.h"

#include <algorithm>

#include <vector>

namespace imagesweep::layers {

namespace {

constexpr std::uint8_t kUnclaimed = 0xFF;

// Assigns every object to the first account that reaches it.
class Claims {
 public:
  explicit Claims(const LayerGraph& graph)
      : graph_(graph),
        account_(graph.objects().size(), kUnclaimed),
        entered_(graph.objects().size(), false) {}

  void Claim(Node root, Account account, bool flat = false) {
    if (flat) {
      for (Node node = root; node != kNoNode; node = ParentOf(node)) {
        if (account_[node] != kUnclaimed) break;
        Take(node, account);
      }
      return;
    }
    Enter(root, account);
    while (!pending_.empty()) {
      const Node node = pending_.back();
      pending_.pop_back();
      for (const Node other : graph_.objects().From(node)) Enter(other, account);
    }
  }

  Breakdown Sum() const {
    Breakdown result;
    const ObjectIndex& index = graph_.index();
    // A file counts for the first account of any of its records.
    std::vector<std::uint8_t> twins(index.twin_groups(), static_cast<std::uint8_t>(Account::kDead));
    std::vector<Node> one_of(index.twin_groups(), kNoNode);
    for (Node node = 0; node < index.first_image(); ++node) {
      const auto account =
          account_[node] == kUnclaimed ? static_cast<std::uint8_t>(Account::kDead) : account_[node];
      if (const std::int64_t group = graph_.liveness().TwinGroup(node); group >= 0) {
        const auto at = static_cast<std::size_t>(group);
        twins[at] = std::min(twins[at], account);
        one_of[at] = node;
        continue;
      }
      result.accounts[account] += graph_.liveness().SizeOf(node);
    }
    for (std::size_t at = 0; at < twins.size(); ++at)
      result.accounts[twins[at]] += graph_.liveness().SizeOf(one_of[at]);
    return result;
  }

 private:
  Node ParentOf(Node node) const {
    return graph_.index().IsSnapshot(node) ? graph_.objects().Parent(node) : kNoNode;
  }
  void Enter(Node node, Account account) {
    if (entered_[node]) return;
    entered_[node] = true;
    if (account_[node] == kUnclaimed) Take(node, account);
    pending_.push_back(node);
  }
  void Take(Node node, Account account) {
    const ObjectIndex& index = graph_.index();
    const World& world = graph_.world();
    if (index.IsSnapshot(node)) {
      const Snapshot& snapshot = world.snapshots()[node - index.first_snapshot()];
      if (snapshot.kind != SnapshotKind::kCommitted && snapshot.space == world.cri_namespace() &&
          account != Account::kBuildCache)
        account = Account::kWritable;
    }
    account_[node] = static_cast<std::uint8_t>(account);
  }

  const LayerGraph& graph_;
  std::vector<std::uint8_t> account_;
  std::vector<bool> entered_;  // a flat lease holds an object without following its references
  std::vector<Node> pending_;
};

// The account of an object that no image of the CRI holds.
Account AccountOf(const World& world, const Root& root) {
  if (world.namespaces()[root.space] == "buildkit") return Account::kBuildCache;
  if (root.space != world.cri_namespace()) return Account::kOtherNamespaces;
  switch (root.kind) {
    case RootKind::kContainer:
      return Account::kInUse;
    case RootKind::kLease:
      return Account::kLeased;
    case RootKind::kBuildCache:
      return Account::kBuildCache;
    case RootKind::kImage:
    case RootKind::kOther:
      return Account::kOther;
  }
  return Account::kOther;
}

Account AccountOf(const LayerGraph& graph, const Image& image, std::uint32_t at,
                  const std::vector<bool>& needed) {
  if (graph.Use(at) == SnapshotUse::kDirect || (at < needed.size() && needed[at]))
    return Account::kInUse;
  if (image.pinned) return Account::kPinned;
  return image.tags.empty() ? Account::kDangling : Account::kIdle;
}

}  // namespace

std::string_view ToString(Account account) {
  switch (account) {
    case Account::kWritable:
      return "writable";
    case Account::kInUse:
      return "in-use";
    case Account::kPinned:
      return "pinned";
    case Account::kIdle:
      return "idle";
    case Account::kDangling:
      return "dangling";
    case Account::kLeased:
      return "leased";
    case Account::kBuildCache:
      return "build-cache";
    case Account::kOtherNamespaces:
      return "other-namespaces";
    case Account::kOther:
      return "other";
    case Account::kDead:
      return "dead";
  }
  return "unknown";
}

Reclaim Breakdown::Total() const {
  Reclaim total;
  for (const Reclaim& account : accounts) total += account;
  return total;
}

Breakdown BreakDown(const LayerGraph& graph, std::span<const Image> images,
                    const std::vector<bool>& needed) {
  Claims claims(graph);
  const std::vector<Root>& roots = graph.objects().roots();
  for (std::size_t i = 0; i + 1 < kAccounts; ++i) {
    const auto account = static_cast<Account>(i);
    for (const Root& root : roots)
      if (AccountOf(graph.world(), root) == account) claims.Claim(root.node, account, root.flat);
    for (std::uint32_t at = 0; at < images.size(); ++at)
      if (AccountOf(graph, images[at], at, needed) == account)
        for (const Node record : graph.attribution().records[at]) claims.Claim(record, account);
  }
  return claims.Sum();
}

}  // namespace imagesweep::layers
