#include "agent/containerd/name_remover.h"

#include <gmock/gmock.h>

#include <limits>

#include "tests/containerd/fake_containerd.h"

namespace imagesweep::containerd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kTag[] = "registry.example/app:build-7";
constexpr char kOther[] = "registry.example/app:v1";
constexpr SystemTime kNotSince{std::chrono::seconds(5000)};

std::string DigestOf(char digit) {
  return "sha256:" + std::string(64, digit);
}

// containerd with one image, as a pull of two tags leaves it; build-7 is of the time 4000.
struct NameRemoverTest : testing::Test {
  NameRemoverTest() { Reset(); }
  void Reset() {
    fake.spaces.clear();
    records() = {{kTag, DigestOf('1')},
                 {kOther, DigestOf('1')},
                 {"registry.example/app@" + DigestOf('1'), DigestOf('1')},
                 {DigestOf('3'), DigestOf('1')}};
    fake.details = {{kTag, {.labels = {}, .created = 3000, .updated = 4000}}};
    fake.changed.clear();
    fake.asked.clear();
    fake.faults.clear();
    fake.on_call = {};
    app = {};
    app.id = ImageId(DigestOf('3'));
    app.tags = {ImageName::Parse(kTag), ImageName::Parse(kOther)};
    app.digests = {ImageName::Parse("registry.example/app@" + DigestOf('1'))};
    name = ImageName::Parse(kTag);
  }
  Status Drop() { return remover.Drop(app, name, kNotSince, stop.get_token()); }
  std::map<std::string, std::string>& records() { return fake.spaces["k8s.io"].images; }

  FakeContainerd fake;
  RecordRemover remover{fake.Channel(), {}};
  Image app;
  ImageName name;
  std::stop_source stop;
};

TEST_F(NameRemoverTest, ThatRecordAloneGoesAndNothingIsCollected) {
  for (const bool checks_target : {true, false}) {
    Reset();
    fake.checks_target = checks_target;
    fake.spaces["moby"].images[kTag] = DigestOf('1');
    auto left = records();
    left.erase(kTag);
    const auto done = Drop();
    ASSERT_TRUE(done) << done.error().what;
    EXPECT_THAT(fake.changed, ElementsAre(std::string("delete ") + kTag));
    EXPECT_EQ(records(), left);
    EXPECT_TRUE(fake.spaces["moby"].images.contains(kTag));
  }
}

TEST_F(NameRemoverTest, RefusesWithWordsAndDeletesNothing) {
  struct Case {
    const char* words;
    std::function<void()> change;
  };
  const Case cases[] = {
      {"no digest of a registry", [&] { app.digests.clear(); }},
      {"is no tag", [&] { name = app.digests.front(); }},
      {"is no tag", [&] { app.tags.push_back(name = ImageName::Parse("import@sha256:1")); }},
      {"by-hand uses that name", [&] { fake.spaces["k8s.io"].containers["by-hand"] = kTag; }},
      {"none of the image's tags", [&] { name = ImageName::Parse(app.id.text()); }},
      {"none of the image's tags", [&] { name = ImageName::Parse(std::string(64, '3')); }},
      {"none of the image's tags", [&] { name = ImageName::Parse("registry.example/app:v9"); }},
      {"the image's only tag", [&] { app.tags = {name}; }},
      {"the image's only tag",
       [&] {
         app.tags = {name, name};
       }},
      {"no other tag of the image by now", [&] { records().erase(kOther); }},
      {"no other tag of the image by now", [&] { records()[kOther] = DigestOf('9'); }},
      {"no record of that name", [&] { records().erase(kTag); }},
      {"stands for another image by now", [&] { records()[kTag] = DigestOf('9'); }},
      {"stands for another image by now", [&] { records()[kTag].clear(); }},
      {"pinned", [&] { fake.details[kTag].labels["io.cri-containerd.pinned"] = "pinned"; }},
      {"written at 1970-01-01T01:23:21.000Z, later than 1970-01-01T01:23:20.000Z",
       [&] { fake.details[kTag].updated = 5001; }},
      {"later than", [&] { fake.details[kTag] = {.labels = {}, .created = 5001, .updated = 0}; }},
      {"later than",
       [&] { fake.details[kTag].updated = std::numeric_limits<std::int64_t>::max(); }},
      {"does not say when", [&] { fake.details.erase(kTag); }},
  };
  for (const bool checks_target : {true, false}) {
    for (const Case& c : cases) {
      Reset();
      fake.checks_target = checks_target;
      c.change();
      const auto before = records();
      const auto status = Drop();
      ASSERT_FALSE(status) << c.words;
      EXPECT_EQ(status.error().kind, ErrorKind::kIncomplete) << c.words;
      EXPECT_THAT(status.error().what, HasSubstr(c.words));
      EXPECT_EQ(fake.asked["Images.Delete"], 0) << c.words;
      EXPECT_EQ(records(), before) << c.words;
    }
  }
}

// The last time that may be, other pins, and another tag that is the last of three.
TEST_F(NameRemoverTest, DropsWhatIsJustWithinTheLimits) {
  const std::function<void()> changes[] = {
      [&] { fake.details[kTag].updated = 5000; },
      [&] { fake.details[kTag] = {.labels = {}, .created = 5000, .updated = 0}; },
      [&] { fake.details[kTag].labels["io.cri-containerd.image"] = "managed"; },
      [&] { fake.details[kOther].labels["io.cri-containerd.pinned"] = "pinned"; },
      [&] {
        app.tags.insert(app.tags.begin(), {ImageName::Parse("registry.example/app:gone"),
                                           ImageName::Parse("registry.example/app:moved")});
        records()["registry.example/app:moved"] = DigestOf('9');
      },
      [&] {
        app.digests.push_back(ImageName::Parse("mirror.example/app@" + DigestOf('2')));
        records()[kTag] = DigestOf('2');
      },
  };
  int number = 0;
  for (const auto& change : changes) {
    Reset();
    change();
    const auto done = Drop();
    ASSERT_TRUE(done) << number << ": " << done.error().what;
    EXPECT_THAT(fake.changed, ElementsAre(std::string("delete ") + kTag)) << number;
    ++number;
  }
}

// A pull between the list and the reading, on every version; between the reading and the deletion
// containerd sees it, from 2.0 on.
TEST_F(NameRemoverTest, ANameThatAPullMovesMeanwhileStays) {
  struct Case {
    const char* call;
    bool checks_target;
  };
  for (const Case& c :
       {Case{"Images.Get", true}, Case{"Images.Get", false}, Case{"Images.Delete", true}}) {
    Reset();
    fake.checks_target = c.checks_target;
    fake.on_call = [&](const std::string& method) {
      if (method == c.call) records()[kTag] = DigestOf('9');
    };
    const auto status = Drop();
    ASSERT_FALSE(status) << c.call;
    EXPECT_EQ(status.error().kind, ErrorKind::kIncomplete) << c.call;
    EXPECT_THAT(status.error().what, HasSubstr("stands for another image")) << c.call;
    EXPECT_EQ(records().at(kTag), DigestOf('9')) << c.call;
  }
}

TEST_F(NameRemoverTest, TwoNamesOfOneImageAreNotBothDropped) {
  app.tags = {ImageName::Parse(kTag), ImageName::Parse("registry.example/app:build-8")};
  records().erase(kOther);
  records()["registry.example/app:build-8"] = DigestOf('1');
  fake.details["registry.example/app:build-8"] = fake.details[kTag];
  ASSERT_TRUE(Drop());
  name = app.tags[1];
  EXPECT_THAT(Drop().error().what, HasSubstr("no other tag"));
  EXPECT_TRUE(records().contains("registry.example/app:build-8"));
}

TEST_F(NameRemoverTest, WhatCannotBeReadIsNotDeleted) {
  fake.faults = {{"Images.Get", {grpc::StatusCode::UNAVAILABLE, "restarting"}}};
  EXPECT_EQ(Drop().error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(Drop().error().what, HasSubstr("restarting"));
  EXPECT_EQ(fake.asked["Images.Delete"], 0);

  // The other tag is read first; then the calls begin to fail.
  Reset();
  fake.on_call = [&](const std::string&) {
    if (fake.asked["Images.Get"] == 2)
      fake.faults = {{"Images.Get", {grpc::StatusCode::UNAVAILABLE, "restarting"}}};
  };
  EXPECT_EQ(Drop().error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(fake.asked["Images.Delete"], 0);

  Reset();
  fake.faults = {{"Images.Delete", {grpc::StatusCode::UNAVAILABLE, "restarting"}}};
  EXPECT_EQ(Drop().error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(fake.changed, IsEmpty());

  Reset();
  stop.request_stop();
  EXPECT_EQ(Drop().error().kind, ErrorKind::kCancelled);
  EXPECT_THAT(fake.changed, IsEmpty());
}

}  // namespace
}  // namespace imagesweep::containerd
