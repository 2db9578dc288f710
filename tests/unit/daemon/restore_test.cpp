#include "agent/daemon/restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>

#include "agent/daemon/restore_selector.h"
#include "tests/support/fake_clock.h"
#include "tests/support/images.h"

namespace imagesweep {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using RestoreOutcome = RestoreReport::Outcome;

std::string Digest(const std::string& repository, const std::string& word) {
  return repository + "@" + Id("digest-" + word);
}

RemovalEntry Removal(const std::string& run, const std::string& word,
                     std::vector<std::string> names, std::vector<std::string> digests,
                     bool done = true) {
  RemovalEntry entry;
  entry.run = run;
  entry.id = Id(word);
  entry.names = std::move(names);
  entry.digests = std::move(digests);
  if (!entry.digests.empty())
    entry.origin = {OriginKind::kPulled, "pulled by the test", entry.digests.front()};
  entry.done = done;
  return entry;
}

std::vector<std::string> Ids(const std::vector<RemovalEntry>& removals) {
  std::vector<std::string> ids;
  for (const RemovalEntry& one : removals) ids.push_back(one.id);
  return ids;
}

// Newest first, as in the history.
const std::vector<RemovalEntry> kRemovals{
    Removal("01C", "new", {"r.example/app:v1"}, {}, /*done=*/false),
    Removal("01B", "old", {"r.example/app:v1", "r.example/app:v0"},
            {Digest("r.example/app", "old")}),
    Removal("01B", "web", {"docker.io/library/web:latest"}, {}),
    Removal("01A", "old", {"r.example/app:v0"}, {Digest("r.example/app", "old")}),
};

TEST(ChooseRemovals, FindsRemovalsByRunOrImage) {
  using Of = RestoreSelector::Of;
  const auto means = [](Of of, const std::string& text, const std::vector<std::string>& ids) {
    const auto chosen = ChooseRemovals(kRemovals, {of, text});
    ASSERT_TRUE(chosen) << text << ": " << chosen.error().what;
    EXPECT_EQ(Ids(*chosen), ids) << text;
  };
  means(Of::kLastRun, "", {Id("new")});
  means(Of::kRun, "01B", {Id("old"), Id("web")});
  means(Of::kRun, "01A", {Id("old")});
  means(Of::kImage, "r.example/app:v1", {Id("new")});  // its last target
  means(Of::kImage, "r.example/app:v0", {Id("old")});
  means(Of::kImage, "web", {Id("web")});
  means(Of::kImage, "app:v1", {Id("new")});  // any registry, as for images that exist
  means(Of::kImage, Digest("r.example/app", "old"), {Id("old")});
  means(Of::kImage, Id("old"), {Id("old")});
  means(Of::kImage, Id("old").substr(0, 14), {Id("old")});
  means(Of::kImage, Id("old").substr(7), {Id("old")});
  EXPECT_EQ(ChooseRemovals(kRemovals, {Of::kImage, "r.example/app:v0"})->front().run, "01B");
}

TEST(ChooseRemovals, FailsWhenNoRemovalMatches) {
  using Of = RestoreSelector::Of;
  const struct {
    RestoreSelector wish;
    ErrorKind kind;
    const char* says;
  } rows[] = {
      {{Of::kRun, "01"}, ErrorKind::kInvalid, "several run IDs begin with \"01\""},
      {{Of::kRun, "02"}, ErrorKind::kNotFound, "no removal by run \"02\" is recorded"},
      {{Of::kImage, "r.example/app:v9"}, ErrorKind::kNotFound, "no removal of"},
      {{Of::kImage, "6f6c6"}, ErrorKind::kNotFound, "no removal of"},  // too short for an ID
  };
  for (const auto& row : rows) {
    const auto chosen = ChooseRemovals(kRemovals, row.wish);
    ASSERT_FALSE(chosen) << row.wish.text;
    EXPECT_EQ(chosen.error().kind, row.kind);
    EXPECT_THAT(chosen.error().what, HasSubstr(row.says));
  }
  EXPECT_FALSE(ChooseRemovals({}, {}));
}

TEST(PlanRestore, RestoresOnlyFromAnArchiveWithoutADigest) {
  const auto report = PlanRestore(
      kRemovals, [](const std::string& id) { return id == Id("web") ? "/a/web.tar" : ""; }, "/a");
  EXPECT_EQ(report.images[0].outcome, RestoreOutcome::kCannot);
  EXPECT_THAT(report.images[0].error, HasSubstr("/a has no archive of it"));
  EXPECT_EQ(report.images[1].from, RestoreReport::From::kRegistry);
  EXPECT_EQ(report.images[1].source, Digest("r.example/app", "old"));
  EXPECT_EQ(report.images[2].from, RestoreReport::From::kArchive);
  EXPECT_EQ(report.images[2].source, "/a/web.tar");
  EXPECT_THAT(CannotComeBackText(report),
              HasSubstr("1 image cannot be restored:\n  r.example/app:v1"));
}

RemovalEntry Unproven(const std::string& word, std::vector<std::string> digests) {
  RemovalEntry entry = Removal("01A", word, {"r.example/" + word + ":v1"}, std::move(digests));
  entry.origin = {OriginKind::kUnknown, "cri-o makes up repo digests", ""};
  return entry;
}

using Source = RestoreReport::Source;
using From = RestoreReport::From;

TEST(PlanRestore, OrdersSourcesByProvedPullArchiveAndUnprovedPull) {
  const std::string proved = Digest("r.example/api", "api"), other = Digest("q.example/api", "api");
  const auto archive = [](const std::string&) { return "/a/api.tar"; };
  const auto report =
      PlanRestore(std::vector{Removal("01A", "api", {}, {proved, other}), Unproven("dev", {other})},
                  archive, "/a");
  EXPECT_THAT(report.images[0].sources, ElementsAre(Source{From::kRegistry, proved, false},
                                                    Source{From::kRegistry, other, true},
                                                    Source{From::kArchive, "/a/api.tar", false}));
  EXPECT_THAT(report.images[1].sources, ElementsAre(Source{From::kArchive, "/a/api.tar", false},
                                                    Source{From::kRegistry, other, true}));
}

TEST(PlanRestore, NeverPullsAnUnprovedNameFromDockerHub) {
  for (const char* repository :
       {"docker.io/library/overlayfs", "docker.io/library/import-2026-11-20",
        "docker.io/library/host", "docker.io/team/app", "overlayfs"}) {
    const auto report = PlanRestore(
        std::vector{Unproven("dev", {Digest(repository, "dev")})}, [](const auto&) { return ""; },
        "/a");
    EXPECT_EQ(report.images[0].outcome, RestoreOutcome::kCannot) << repository;
    EXPECT_THAT(report.images[0].error, HasSubstr("no record proves that it was pulled from a "
                                                  "registry (cri-o makes up repo digests)"));
    EXPECT_THAT(report.images[0].sources, IsEmpty());
  }
}

TEST(PlanRestore, ADryRunSaysThatAPullIsOnlyATry) {
  const auto report = PlanRestore(
      std::vector{Unproven("dev", {Digest("r.example/dev", "dev")})},
      [](const auto&) { return ""; }, "/a");
  EXPECT_EQ(report.images[0].outcome, RestoreOutcome::kWouldRestore);
  EXPECT_THAT(report.images[0].notes, ElementsAre(HasSubstr("the pull may fail")));
}

// A runtime with registries: the images that can be pulled, by reference.
class FakeBackend : public RestoreBackend {
 public:
  std::vector<Image> images;
  std::map<std::string, std::string> registry;  // reference -> word of the image
  std::map<std::string, Error> faults;          // by reference
  bool native = true;
  std::vector<std::string> asked;
  std::vector<std::string> named;           // the names passed to AddNames()
  std::vector<std::string> imported_names;  // the archive passed to Import()

  Result<std::vector<Image>> ListImages(const std::stop_token&) override {
    const std::scoped_lock lock(mu_);
    if (!list_error.empty()) return Error{ErrorKind::kUnavailable, list_error};
    return images;
  }
  Status Pull(const std::string& reference, const std::stop_token&) override {
    const std::scoped_lock lock(mu_);
    asked.push_back("pull " + reference);
    if (const auto fault = faults.find(reference); fault != faults.end()) return fault->second;
    const auto found = registry.find(reference);
    if (found == registry.end()) return Error{ErrorKind::kNotFound, reference + " is not there"};
    Give(Id(found->second), {reference});
    return Done{};
  }
  bool makes_names() const override { return native; }
  Result<std::vector<std::string>> AddNames(const std::string& from,
                                            const std::vector<std::string>& names,
                                            const std::stop_token&) override {
    const std::scoped_lock lock(mu_);
    asked.push_back("name " + from);
    named.insert(named.end(), names.begin(), names.end());
    for (const Image& image : images)
      for (const auto* list : {&image.tags, &image.digests})
        for (const ImageName& name : *list)
          if (name.text() == from) {
            Give(image.id.text(), names);
            return std::vector<std::string>();
          }
    return Error{ErrorKind::kNotFound, "no " + from};
  }
  Result<std::vector<std::string>> Import(const std::string& archive, const std::string& id,
                                          const std::vector<std::string>& names,
                                          const std::stop_token&) override {
    const std::scoped_lock lock(mu_);
    asked.push_back("import " + archive);
    imported_names = names;
    Give(id, {"r.example/built:v1"});
    return std::vector<std::string>();
  }

  std::string list_error;

 private:
  void Give(const std::string& id, const std::vector<std::string>& names) {
    auto at = std::ranges::find_if(images, [&](const Image& one) { return one.id.text() == id; });
    if (at == images.end()) {
      images.emplace_back().id = ImageId(id);
      at = images.end() - 1;
    }
    for (const std::string& text : names) {
      const ImageName name = ImageName::Parse(text);
      for (Image& image : images) std::erase(image.tags, name);  // a tag refers to one image
      at = std::ranges::find_if(images, [&](const Image& one) { return one.id.text() == id; });
      (name.digest().empty() ? at->tags : at->digests).push_back(name);
    }
  }
  std::mutex mu_;
};

class RestoreTest : public testing::Test {
 protected:
  RestoreReport Run(const std::vector<RemovalEntry>& removals, const std::stop_token& stop = {}) {
    RestoreReport report = PlanRestore(
        removals, [](const std::string& id) { return id == Id("built") ? "/a/built.tar" : ""; },
        "/a");
    const auto compared = CompareWithNode(report, backend_, {});
    EXPECT_TRUE(compared) << compared.error().what;
    Restore(report, backend_, clock_, {.parallel = 2, .space = space_, .on_done = {}}, stop);
    return report;
  }
  std::vector<std::string> NamesOf(const std::string& word) {
    std::vector<std::string> names;
    for (const Image& image : backend_.images) {
      if (image.id.text() != Id(word)) continue;
      for (const ImageName& name : image.tags) names.push_back(name.text());
      for (const ImageName& name : image.digests) names.push_back(name.text());
    }
    return names;
  }
  // An image of r.example/WORD that can be pulled by its digest.
  RemovalEntry Pullable(const std::string& word) {
    const std::string repository = "r.example/" + word;
    backend_.registry[Digest(repository, word)] = word;
    return Removal("01A", word, {repository + ":v1"}, {Digest(repository, word)});
  }

  FakeBackend backend_;
  FakeClock clock_;
  RestoreSpace space_;
};

TEST_F(RestoreTest, PullsByDigestAndGivesTheNamesBack) {
  const auto report = Run({Pullable("api")});
  EXPECT_EQ(report.images[0].outcome, RestoreOutcome::kRestored) << report.images[0].error;
  EXPECT_THAT(report.images[0].notes, IsEmpty());
  EXPECT_THAT(NamesOf("api"),
              UnorderedElementsAre("r.example/api:v1", Digest("r.example/api", "api")));
  EXPECT_THAT(backend_.asked, ElementsAre("pull " + Digest("r.example/api", "api"),
                                          "name " + Digest("r.example/api", "api")));
}

TEST_F(RestoreTest, SkipsAnImageThatIsPresentWithAllItsNames) {
  const std::vector<RemovalEntry> removals{Pullable("api")};
  Run(removals);
  backend_.asked.clear();
  const auto report = Run(removals);
  EXPECT_EQ(report.images[0].outcome, RestoreOutcome::kAlreadyHere);
  EXPECT_THAT(backend_.asked, IsEmpty());
}

TEST_F(RestoreTest, RestoresTheOthersWhenOneFails) {
  const std::vector<RemovalEntry> removals{Pullable("a"), Pullable("b"), Pullable("c")};
  backend_.faults[removals[1].digests[0]] =
      Error{ErrorKind::kDenied, "r.example wants credentials"};
  const auto report = Run(removals);
  EXPECT_EQ(report.images[0].outcome, RestoreOutcome::kRestored);
  EXPECT_EQ(report.images[1].outcome, RestoreOutcome::kFailed);
  EXPECT_EQ(report.images[1].error, "r.example wants credentials");
  EXPECT_EQ(report.images[2].outcome, RestoreOutcome::kRestored);
}

TEST_F(RestoreTest, PullsFromTheNextRepositoryWhenTheFirstFails) {
  RemovalEntry removal = Pullable("api");
  removal.digests.insert(removal.digests.begin(), Digest("gone.example/api", "api"));
  const auto report = Run({removal});
  EXPECT_EQ(report.images[0].outcome, RestoreOutcome::kRestored) << report.images[0].error;
  EXPECT_EQ(report.images[0].source, Digest("r.example/api", "api"));
}

TEST_F(RestoreTest, PullsANameWithAnotherDigestInsteadOfTaggingIt) {
  const std::string other = Digest("r.example/copy", "other"),
                    same = Digest("r.example/too", "api");
  RemovalEntry removal = Pullable("api");
  removal.digests.insert(removal.digests.end(), {same, other});
  backend_.registry[other] = "api";
  const auto report = Run({removal});
  EXPECT_EQ(report.images[0].outcome, RestoreOutcome::kRestored) << report.images[0].error;
  EXPECT_THAT(report.images[0].notes, IsEmpty());
  EXPECT_THAT(backend_.named, ElementsAre("r.example/api:v1", same));
  EXPECT_THAT(backend_.asked, ElementsAre("pull " + removal.digests[0],
                                          "name " + removal.digests[0], "pull " + other));
  EXPECT_THAT(NamesOf("api"),
              UnorderedElementsAre("r.example/api:v1", removal.digests[0], same, other));
}

TEST_F(RestoreTest, NotesADigestThatNoRegistryHasWithoutWaiting) {
  RemovalEntry removal = Pullable("api");
  removal.digests.push_back(Digest("gone.example/copy", "other"));
  const auto begun = clock_.Steady();
  const auto report = Run({removal});
  EXPECT_EQ(report.images[0].outcome, RestoreOutcome::kRestored) << report.images[0].error;
  EXPECT_THAT(report.images[0].notes,
              ElementsAre(HasSubstr("but not as " + removal.digests[1] + ": ")));
  EXPECT_THAT(backend_.named, ElementsAre("r.example/api:v1"));
  EXPECT_EQ(clock_.Steady(), begun);
}

TEST_F(RestoreTest, AddsOnlyTagsWhenTheLocalImageHasNoDigest) {
  RemovalEntry removal = Removal("01A", "built", {"r.example/built:v1", "r.example/built:v2"},
                                 {Digest("r.example/built", "m")});
  backend_.images.emplace_back(Img("built", {"r.example/built:v1"})).digests.clear();
  const auto report = Run({removal});
  EXPECT_THAT(backend_.named, ElementsAre("r.example/built:v2"));
  EXPECT_THAT(report.images[0].notes, ElementsAre(HasSubstr("but not as " + removal.digests[0])));
}

TEST_F(RestoreTest, LeavesATagThatNowNamesAnotherImage) {
  backend_.images.push_back(Img("new", {"r.example/api:v1"}));
  const auto report = Run({Pullable("api")});
  EXPECT_EQ(report.images[0].outcome, RestoreOutcome::kRestored);
  EXPECT_THAT(report.images[0].notes,
              ElementsAre("r.example/api:v1 now names another image and was left unchanged"));
  EXPECT_THAT(NamesOf("api"), ElementsAre(Digest("r.example/api", "api")));
}

TEST_F(RestoreTest, FailsWhenThePulledImageHasAnotherId) {
  RemovalEntry removal = Pullable("api");
  backend_.registry[removal.digests[0]] = "impostor";
  const auto report = Run({removal});
  EXPECT_EQ(report.images[0].outcome, RestoreOutcome::kFailed);
  EXPECT_THAT(report.images[0].error, HasSubstr("under another ID than " + Id("api")));
}

TEST_F(RestoreTest, PullsByTagAndSkipsArchivesWithoutContainerd) {
  backend_.native = false;
  const std::vector<RemovalEntry> removals{Pullable("same"), Pullable("moved"), Pullable("gone"),
                                           Removal("01A", "built", {"r.example/built:v1"}, {})};
  backend_.registry["r.example/same:v1"] = "same";
  backend_.registry["r.example/moved:v1"] = "other";
  const auto report = Run(removals);
  EXPECT_EQ(report.images[0].outcome, RestoreOutcome::kRestored);
  EXPECT_THAT(report.images[0].notes, IsEmpty());
  EXPECT_THAT(report.images[1].notes,
              ElementsAre("r.example/moved:v1 now names another image and was left unchanged"));
  EXPECT_THAT(report.images[2].notes, ElementsAre(HasSubstr("but not as r.example/gone:v1")));
  EXPECT_EQ(report.images[3].outcome, RestoreOutcome::kCannot);
  EXPECT_THAT(report.images[3].error, HasSubstr("only containerd can import archives"));
}

TEST_F(RestoreTest, ImportsAnArchiveIntoContainerd) {
  const auto report = Run({Removal("01A", "built", {"r.example/built:v1"}, {})});
  EXPECT_EQ(report.images[0].outcome, RestoreOutcome::kRestored);
  EXPECT_THAT(backend_.asked, ElementsAre("import /a/built.tar"));
}

TEST_F(RestoreTest, ImportsTheArchiveWhenTheRegistryFails) {
  const std::string digest = Digest("r.example/built", "built");
  const auto report = Run({Removal("01A", "built", {"r.example/built:v1"}, {digest})});
  EXPECT_EQ(report.images[0].outcome, RestoreOutcome::kRestored) << report.images[0].error;
  EXPECT_EQ(report.images[0].from, From::kArchive);
  EXPECT_EQ(report.images[0].source, "/a/built.tar");
  EXPECT_THAT(backend_.asked, ElementsAre("pull " + digest, "import /a/built.tar"));
  EXPECT_THAT(report.images[0].notes,
              testing::Contains(HasSubstr("because the first source failed: " + digest)));
}

TEST_F(RestoreTest, PassesTheNamesOfTheJournalToTheImport) {
  Run({Removal("01A", "built", {"r.example/built:v1", "r.example/built:v2"}, {})});
  EXPECT_THAT(backend_.imported_names, ElementsAre("r.example/built:v1", "r.example/built:v2"));
}

class FixedDisk final : public Filesystem {
 public:
  Result<DiskUsage> Stat(const std::string& mountpoint) override {
    return DiskUsage{mountpoint, 1000, available.load(), 0, 0};
  }
  std::atomic<std::uint64_t> available = 1000;
};

TEST_F(RestoreTest, StartsNoPullThatWouldExceedMinAvailable) {
  FixedDisk disk;
  disk.available = 349;  // 150 must stay available
  space_ = {&disk, {"/images"}, 15};
  std::vector<RemovalEntry> removals{Pullable("small"), Pullable("large")};
  removals[0].size_bytes = 10;
  removals[1].size_bytes = 200;
  const auto report = Run(removals);
  EXPECT_EQ(report.images[0].outcome, RestoreOutcome::kRestored) << report.images[0].error;
  EXPECT_EQ(report.images[1].outcome, RestoreOutcome::kFailed);
  EXPECT_THAT(report.images[1].error, HasSubstr("not enough space: /images has"));
  EXPECT_THAT(report.images[1].error, HasSubstr("--min-available"));
}

TEST_F(RestoreTest, StartsNothingWhenTheDiskUsageIsUnknown) {
  class Broken final : public Filesystem {
    Result<DiskUsage> Stat(const std::string&) override {
      return Error{ErrorKind::kDenied, "statvfs /images: Permission denied"};
    }
  } disk;
  space_ = {&disk, {"/images"}, 15};
  const auto report = Run({Pullable("api")});
  EXPECT_THAT(report.images[0].error, HasSubstr("cannot determine the available space"));
  EXPECT_THAT(backend_.asked, IsEmpty());
}

// The disk fills up during the pull.
TEST_F(RestoreTest, CancelsAPullWhenTheDiskFills) {
  FixedDisk disk;
  space_ = {&disk, {"/images"}, 15};
  class Slow final : public FakeBackend {
   public:
    explicit Slow(FixedDisk& on) : disk(on) {}
    Status Pull(const std::string&, const std::stop_token& stop) override {
      disk.available = 100;
      std::mutex mu;
      std::condition_variable_any woken;
      std::unique_lock lock(mu);
      woken.wait(lock, stop, [] { return false; });
      return Error{ErrorKind::kCancelled, "cancelled"};
    }
    FixedDisk& disk;
  } backend(disk);
  RestoreReport report = PlanRestore(
      std::vector{Pullable("api")}, [](const auto&) { return ""; }, "");
  ASSERT_TRUE(CompareWithNode(report, backend, {}));
  Restore(report, backend, clock_, {.parallel = 1, .space = space_, .on_done = {}}, {});
  EXPECT_EQ(report.images[0].outcome, RestoreOutcome::kFailed);
  EXPECT_THAT(report.images[0].error, HasSubstr("not enough space"));
}

TEST_F(RestoreTest, StartsNothingAfterAStopRequest) {
  std::stop_source stop;
  stop.request_stop();
  const auto report = Run({Pullable("a"), Pullable("b")}, stop.get_token());
  EXPECT_EQ(report.Count(RestoreOutcome::kFailed), 2U);
  EXPECT_THAT(backend_.asked, IsEmpty());
}

TEST_F(RestoreTest, FailsToCompareWithoutAnImageList) {
  backend_.list_error = "no runtime";
  RestoreReport report = PlanRestore(
      std::vector{Pullable("a")}, [](const auto&) { return ""; }, "");
  EXPECT_FALSE(CompareWithNode(report, backend_, {}));
}

}  // namespace
}  // namespace imagesweep
