#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "agent/gc/interrupted_removals.h"
#include "agent/gc/remove/batch.h"
#include "agent/runtime/containerd/record_removal.h"
#include "tests/support/fake_clock.h"
#include "tests/support/images.h"

// Random schedules: in any order of events, no image loses its last name while a container that is
// older than 50 ms uses it.

namespace imagesweep {
namespace {

using containerd::Record;

constexpr std::uint64_t kSchedules = 50'000;

struct Killed {};

// A node on which every call takes time. An answer shows the state at the time of the request, even
// if it arrives late. Containers appear at any moment, and the CRI does not list some of them.
class SlowNode final : public RuntimeReader,
                       public ImageRemover,
                       public containerd::RecordStore,
                       public NameRestorer {
 public:
  SlowNode(std::uint64_t seed, const FakeClock& clock) : random_(seed), clock_(clock) {
    for (const char* name : {"a", "b", "c"}) {
      const std::string text = name;
      std::vector<Record> records;
      for (const std::string& digest : {Id(text + "1"), Id(text + "2")}) {
        if (!records.empty() && Below(3) != 0) continue;  // most refer to one digest
        records.push_back({"registry.example/" + text + "@" + digest, digest});
        for (auto tags = Below(4); tags > 0; --tags)
          records.push_back(
              {"registry.example/" + text + ":" + digest.substr(7, 4) + std::to_string(tags),
               digest});
      }
      const ImageId id(Id(text));
      records.push_back({id.text(), records.front().target});
      for (const Record& record : records) names_[record.name] = record.target;
      records_[id.text()] = std::move(records);
      order_.push_back(id);
    }
    slow_ = Below(8) == 0;
    const auto begin = clock.Steady();
    for (auto more = Below(4); more > 0; --more)
      containers_.push_back({order_[Below(3)].text(), begin + Millis(Below(400)), Below(2) == 0});
  }

  std::uint64_t Below(std::uint64_t limit) { return random_() % limit; }

  Result<RuntimeIdentity> Identity(const std::stop_token&) override { return RuntimeIdentity{}; }
  Result<std::vector<Image>> ListImages(const std::stop_token&) override {
    std::vector<Image> images;
    for (const ImageId& id : order_)
      if (auto image = Listed(id)) images.push_back(*std::move(image));
    Take();
    return images;
  }
  Result<std::optional<Image>> ImageStatus(const ImageId& id, const std::stop_token&) override {
    auto image = Listed(id);
    Take();
    return image;
  }
  Result<RuntimeUse> ReadUse(const std::stop_token&) override {
    Take();
    return ReadContainers({});
  }
  Result<RuntimeUse> ReadContainers(const std::stop_token&) override {
    RuntimeUse use;
    use.references = References(true);
    use.containers = use.references.size();
    Take();
    return use;
  }
  Result<std::vector<ImageReference>> ReadNonCriContainers(const std::vector<std::string>&,
                                                           const std::stop_token&) override {
    auto references = References(false);
    Take();
    return references;
  }
  Result<std::vector<std::string>> ImageFilesystems(const std::stop_token&) override {
    return std::vector<std::string>();
  }
  std::size_t batch_size() const override { return 50; }
  Result<Removal> Remove(const Image& image, DeletionGuard& guard,
                         const std::stop_token&) override {
    Blind blind;
    auto removed = RemoveRecords(records_.at(image.id.text()), *this,
                                 ignores_guard ? static_cast<DeletionGuard&>(blind) : guard);
    gave_back += removed && removed->kind == Removal::Kind::kSkipped && undone_ ? 1 : 0;
    undone_ = false;
    return removed;
  }

  Result<std::optional<std::string>> Read(const std::string& name) override {
    const auto it = names_.find(name);
    std::optional<std::string> target;
    if (it != names_.end()) target = it->second;
    Take();
    return target;
  }
  Status Delete(const Record& record) override {
    const bool fails = may_fail && Below(40) == 0;
    if (!fails || Below(2) == 0) Erase(record.name);
    Take();
    if (fails) return Error{ErrorKind::kDeadline, "no answer"};
    return Done{};
  }
  Status Create(const std::string& /*of*/, const std::string& name) override {
    for (const auto& [id, records] : records_)
      for (const Record& record : records)
        if (record.name == name) names_[name] = record.target;
    undone_ = true;
    Take();
    return Done{};
  }
  Status RestoreNames(const Image& image, const std::vector<std::string>& names,
                      const std::stop_token&) override {
    for (const Record& record : records_.at(image.id.text()))
      if (std::ranges::find(names, record.name) != names.end()) names_[record.name] = record.target;
    Take();
    return Done{};
  }

  // The number of its existing names and of all its names. The ID does not count.
  std::pair<std::size_t, std::size_t> Names(const ImageId& id) const {
    std::pair<std::size_t, std::size_t> names;
    for (const Record& record : records_.at(id.text())) {
      if (record.name == id.text()) continue;
      names.first += names_.contains(record.name) ? 1 : 0;
      ++names.second;
    }
    return names;
  }

  bool kills = false, may_fail = false, ignores_guard = false;
  std::size_t last_names = 0, gave_back = 0;
  std::vector<std::string> violations;

 private:
  struct Container {
    std::string image;
    SteadyTime since;
    bool by_cri;
  };
  struct Blind final : DeletionGuard {
    std::string WhyNot() override { return {}; }
    bool StillHolds() override { return true; }
  };

  std::optional<Image> Listed(const ImageId& id) const {
    Image image;
    image.id = id;
    bool listed = false;
    for (const Record& record : records_.at(id.text())) {
      if (!names_.contains(record.name)) continue;
      listed = true;
      if (record.name == id.text()) continue;
      auto& names = record.name.find('@') == std::string::npos ? image.tags : image.digests;
      names.push_back(ImageName::Parse(record.name));
    }
    if (!listed) return std::nullopt;
    return image;
  }

  std::vector<ImageReference> References(bool by_cri) const {
    std::vector<ImageReference> references;
    for (const Container& one : containers_)
      if (one.by_cri == by_cri && one.since <= clock_.Steady())
        references.push_back({one.image, {}, {ImageUserKind::kContainer, "shop", "p", "c"}});
    return references;
  }

  void Erase(const std::string& name) {
    names_.erase(name);
    for (const auto& [id, records] : records_) {
      const auto is = [&](const Record& record) { return record.name == name; };
      const auto left = [&](const Record& record) { return names_.contains(record.name); };
      if (std::ranges::none_of(records, is) || std::ranges::any_of(records, left)) continue;
      ++last_names;
      for (const Container& one : containers_)
        if (one.image == id && clock_.Steady() - one.since > kMaxRecheckWindow)
          violations.push_back(id);
      // A later container finds no image and pulls it.
      std::erase_if(containers_, [&](const Container& one) {
        return one.image == id && one.since > clock_.Steady();
      });
    }
  }

  // One call: the answer is computed, and is now on its way. Or the process is stopped or killed.
  void Take() {
    const auto dice = Below(200);
    if (kills && Below(60) == 0) throw Killed();
    clock_.Advance(Millis(dice == 0   ? 5'000
                          : dice < 10 ? Below(120)
                          : slow_     ? 20 + Below(50)
                                      : Below(8)));
  }

  std::mt19937_64 random_;
  const FakeClock& clock_;
  bool slow_ = false, undone_ = false;
  std::vector<ImageId> order_;
  std::map<std::string, std::vector<Record>> records_;  // by image
  std::map<std::string, std::string> names_;            // existing names and their digests
  std::vector<Container> containers_;
};

// Only the journal that a killed process leaves.
class Journal final : public History {
 public:
  Status BeginRemoval(const RemovalEntry& removal) override {
    entries.push_back(removal);
    return Done{};
  }
  Status Commit(const std::string& run, const std::string& image_id, bool) override {
    std::erase_if(entries, [&](const RemovalEntry& entry) {
      return entry.run == run && entry.id == image_id;
    });
    return Done{};
  }
  Status InTransaction(const std::function<Status()>& changes) override { return changes(); }
  Status AddRun(const RunEntry&, int) override { return Done{}; }
  Result<std::vector<RunEntry>> Runs() override { return std::vector<RunEntry>(); }
  Result<std::optional<RunEntry>> Find(const std::string&) override {
    return std::optional<RunEntry>();
  }
  Result<std::vector<RemovalEntry>> Removals(const std::string&) override { return entries; }
  std::vector<std::string> warnings() const override { return {}; }
  std::vector<RemovalEntry> entries;
};

std::vector<std::string> Texts(const std::vector<ImageName>& names) {
  std::vector<std::string> texts;
  for (const ImageName& name : names) texts.push_back(name.text());
  return texts;
}

struct Life {
  explicit Life(std::uint64_t seed) : node(seed, clock) {}

  // False if the process was killed.
  bool Sweep() {
    const Expectations expected;
    const std::stop_token never;
    node.kills = false;  // not before there is work to do
    evidence.images = ByImage<Image>(*node.ListImages(never));
    std::vector<ImagePos> all;
    for (const ImagePos at : Positions(evidence.images)) {
      const Image& image = evidence.images[at];
      all.push_back(at);
      RemovalEntry entry;
      entry.run = "run1";
      entry.at = clock.Now();
      entry.id = image.id.text();
      entry.names = Texts(image.tags);
      entry.digests = Texts(image.digests);
      (void)journal.BeginRemoval(entry);
    }
    node.kills = kills;
    const ImageIndex index(evidence.images);
    Rechecker look(node, nullptr, nullptr, expected, clock);
    Batch batch(look, evidence, index, node, clock, [] { return std::string(); });
    try {
      result = batch.Run(all, 5, never, never);
    } catch (const Killed&) {
      node.kills = false;
      return false;
    }
    node.kills = false;
    return true;
  }

  FakeClock clock;
  SlowNode node;
  Journal journal;
  Evidence evidence;
  BatchResult result;
  bool kills = false;
};

TEST(RecheckOracle, NoImageLosesItsLastNameToARecheckThatIsOlderThan50Ms) {
  std::size_t last_names = 0, gave_back = 0, skipped = 0;
  for (std::uint64_t seed = 0; seed < kSchedules; ++seed) {
    Life life(seed);
    ASSERT_TRUE(life.Sweep());
    ASSERT_TRUE(life.node.violations.empty()) << "seed " << seed;
    for (const Outcome& outcome : life.result.outcomes) {
      const auto [has, of] = life.node.Names(life.evidence.images[outcome.image].id);
      ASSERT_EQ(has, outcome.kind == OutcomeKind::kRemoved ? 0 : of)
          << "seed " << seed << ": " << outcome.detail;
      skipped += outcome.kind == OutcomeKind::kSkipped ? 1 : 0;
    }
    last_names += life.node.last_names;
    gave_back += life.node.gave_back;
  }
  EXPECT_GT(last_names, kSchedules / 2) << "the schedules must show it";
  EXPECT_GT(skipped, kSchedules / 4);
  EXPECT_GT(gave_back, kSchedules / 200);
}

TEST(RecheckOracle, LeavesNoImageWithPartOfItsNamesAfterAKill) {
  std::size_t killed = 0, halves = 0;
  for (std::uint64_t seed = 0; seed < kSchedules / 2; ++seed) {
    Life life(seed);
    life.kills = true;
    life.node.may_fail = seed % 2 == 0;
    killed += life.Sweep() ? 0 : 1;
    ASSERT_TRUE(life.node.violations.empty()) << "seed " << seed;
    for (const Image& image : life.evidence.images) {
      const auto [has, of] = life.node.Names(image.id);
      halves += has > 0 && has < of ? 1 : 0;
    }
    life.clock.Advance(Millis(life.node.Below(100'000)));
    RestoreInterrupted(life.journal, life.node, &life.node, life.clock, "run2", {});
    for (const Image& image : life.evidence.images) {
      const auto [has, of] = life.node.Names(image.id);
      ASSERT_TRUE(has == 0 || has == of) << "seed " << seed << ": " << has << " of " << of;
    }
  }
  EXPECT_GT(killed, kSchedules / 8) << "the schedules must show it";
  EXPECT_GT(halves, kSchedules / 50);
}

// An oracle that cannot fail proves nothing.
TEST(RecheckOracle, DetectsARemoverThatSkipsTheGuard) {
  std::size_t violations = 0;
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    Life life(seed);
    life.node.ignores_guard = true;
    ASSERT_TRUE(life.Sweep());
    violations += life.node.violations.size();
  }
  EXPECT_GT(violations, 0U);
}

}  // namespace
}  // namespace imagesweep
