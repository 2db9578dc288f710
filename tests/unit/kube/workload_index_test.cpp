// Writers of an index, alone and in competition.
#include "tests/unit/kube/workload_index_fixture.h"

namespace imagesweep::kube {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

using Nothing = std::optional<Result<HttpResponse>>;

struct WorkloadIndexWriterTest : WorkloadIndexTest {
  FakeObjectHttp other_http{server};
  WorkloadIndexWriter other{other_http, index, "leader-2", {}, kShardBytes};

  std::vector<std::string> Writes() const {
    std::vector<std::string> writes;
    for (const std::string& request : server.requests)
      if (!request.starts_with("GET")) writes.push_back(request);
    return writes;
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& [name, object] : server.objects) names.push_back(name.substr(path.size() + 1));
    return names;
  }
};

TEST_F(WorkloadIndexWriterTest, WritesTheHeadLastIntoTheSlotThatIsNotInUse) {
  ASSERT_TRUE(Publish(BigSet()));
  ASSERT_TRUE(Publish(Set(3)));
  ASSERT_TRUE(Beat());
  EXPECT_THAT(Writes(),
              ElementsAre("POST " + path, "POST " + path, "POST " + path, "POST " + path,
                          "POST " + path, "PUT " + path + "/index", "PUT " + path + "/index"));
  EXPECT_THAT(Names(), ElementsAre("index", "index-a-0", "index-a-1", "index-a-2", "index-b-0"));
  EXPECT_EQ(At("index")["data"]["slot"], "b");
  EXPECT_EQ(At("index")["data"]["generation"], "2");
  EXPECT_EQ(At("index")["data"]["holder"], "leader-1");
}

// A role can name the objects to update, and then grants no deletion.
TEST_F(WorkloadIndexWriterTest, EmptiesShardsThatCountNoMore) {
  ASSERT_TRUE(Publish(BigSet()));
  ASSERT_TRUE(Publish(Set(3)));
  const auto published = Publish(Set(4));
  ASSERT_TRUE(published);
  EXPECT_FALSE(published->leftover);
  EXPECT_THAT(Names(), ElementsAre("index", "index-a-0", "index-a-1", "index-a-2", "index-b-0"));
  for (const char* name : {"index-a-1", "index-a-2"}) {
    EXPECT_FALSE(At(name).contains("data")) << name;
    EXPECT_FALSE(At(name).contains("binaryData")) << name;
  }
  const auto writes = Writes().size();
  List();
  EXPECT_EQ(Look(), "4 from the index, generation 3");
  ASSERT_TRUE(Publish(Set(5)));
  ASSERT_TRUE(Publish(Set(6)));
  EXPECT_EQ(Writes().size(), writes + 4) << "they are emptied once";
}

TEST_F(WorkloadIndexWriterTest, ReportsAShardThatCannotBeEmptied) {
  ASSERT_TRUE(Publish(BigSet()));
  ASSERT_TRUE(Publish(Set(3)));
  http.before = [](const auto& method, const auto& where, const auto&) {
    return method == "PUT" && where.ends_with("-a-1")
               ? Nothing(HttpResponse{403, {}, StatusJson(403, "Forbidden").dump()})
               : Nothing();
  };
  const auto published = Publish(Set(4));
  ASSERT_TRUE(published);
  ASSERT_TRUE(published->leftover);
  EXPECT_THAT(published->leftover->what, AllOf(HasSubstr("index-a-1"), HasSubstr("403")));
  List();
  EXPECT_EQ(Look(), "4 from the index, generation 3");
}

// The chart creates the ConfigMaps, and they have Helm's metadata.
TEST_F(WorkloadIndexWriterTest, WritesIntoConfigMapsThatAreThereAndKeepsTheirMarks) {
  for (const char* name :
       {"index", "index-a-0", "index-a-1", "index-a-2", "index-a-3", "index-b-0"})
    server.objects[path + "/" + name] = {
        {"metadata",
         {{"name", name},
          {"resourceVersion", "7"},
          {"labels", {{"app.kubernetes.io/managed-by", "Helm"}}},
          {"annotations", {{"meta.helm.sh/release-name", "imagesweep"}}}}}};
  List();
  EXPECT_THAT(Look(), HasSubstr("cannot be read"));
  http.before = [](const auto& method, const auto&, const auto&) {
    return method == "POST" || method == "DELETE"
               ? Nothing(HttpResponse{403, {}, StatusJson(403, "Forbidden").dump()})
               : Nothing();
  };
  ASSERT_TRUE(Publish(BigSet()));
  List();
  EXPECT_EQ(Look(), "20 from the index, generation 1");
  for (const char* name : {"index", "index-a-0"}) {
    EXPECT_EQ(At(name)["metadata"]["labels"]["app.kubernetes.io/managed-by"], "Helm");
    EXPECT_EQ(At(name)["metadata"]["labels"]["imagesweep/workload-index"], "index");
    EXPECT_EQ(At(name)["metadata"]["annotations"]["meta.helm.sh/release-name"], "imagesweep");
  }
  EXPECT_THAT(Publish(BigSet()).error().what,
              AllOf(HasSubstr("index-b-1"), HasSubstr("403"), HasSubstr("workloads.index.shards")))
      << "the second slot has one";
}

// The leader is killed before each of its writes: the old set stays, and the next leader continues
// from there.
TEST_F(WorkloadIndexWriterTest, LeavesTheOldSetWhenTheLeaderIsKilled) {
  for (std::size_t last = 1; last <= 4; ++last) {
    clock.Advance(std::chrono::seconds(5));
    writer.Forget();
    ASSERT_TRUE(Publish(BigSet(20)));
    List();
    std::size_t writes = 0;
    http.before = [&](const auto& method, const auto&, const auto&) {
      return method != "GET" && ++writes >= last ? Nothing(Error{ErrorKind::kUnavailable, "killed"})
                                                 : Nothing();
    };
    EXPECT_FALSE(Publish(BigSet(21)));
    http.before = {};
    Hear();
    EXPECT_THAT(Look(), HasSubstr("20 from")) << last;
    ASSERT_TRUE(other.Publish(BigSet(22), clock.Now(), Yes, {}));
    Hear();
    EXPECT_THAT(Look(), HasSubstr("22 from")) << last;
    other.Forget();
  }
}

TEST_F(WorkloadIndexWriterTest, WritesNothingAfterItsLeadershipEnds) {
  ASSERT_TRUE(Publish(Set(3)));
  const auto before = Writes().size();
  int asked = 0;
  const auto ends = [&] { return ++asked < 3; };
  const auto published = writer.Publish(BigSet(), clock.Now(), ends, {});
  ASSERT_FALSE(published);
  EXPECT_THAT(published.error().what, HasSubstr("the leadership was lost"));
  EXPECT_EQ(Writes().size(), before + 2);
  List();
  EXPECT_EQ(Look(), "3 from the index, generation 1");
  EXPECT_FALSE(writer.Confirm(clock.Now(), [] { return false; }, {}));
}

// Two processes that both act as leaders. The second one publishes at each point of the first one's
// publication.
TEST_F(WorkloadIndexWriterTest, NeverMixesTheSetsOfTwoLeaders) {
  for (std::size_t when = 1; when <= 4; ++when) {
    clock.Advance(std::chrono::seconds(5));
    writer.Forget();
    other.Forget();
    ASSERT_TRUE(Publish(BigSet(20)));
    List();
    std::size_t writes = 0;
    std::size_t refused = 0;
    http.before = [&](const auto& method, const auto&, const auto&) {
      if (method != "GET" && ++writes == when) {
        EXPECT_TRUE(other.Publish(BigSet(22), clock.Now(), Yes, {}));
      }
      Hear();
      if (const std::string seen_now = Look(); seen_now.find("torn") != std::string::npos ||
                                               seen_now.find("missing") != std::string::npos)
        ++refused;
      else
        EXPECT_THAT(seen_now, testing::AnyOf(HasSubstr("20 from"), HasSubstr("22 from")));
      return Nothing();
    };
    const auto published = Publish(BigSet(21));
    http.before = {};
    ASSERT_FALSE(published) << when;
    EXPECT_EQ(published.error().kind, ErrorKind::kIncomplete);
    Hear();
    EXPECT_EQ(refused, 0U);
    EXPECT_THAT(Look(), HasSubstr("22 from")) << when;
    EXPECT_FALSE(Beat()) << "it must not confirm the other's set";
  }
}

TEST_F(WorkloadIndexWriterTest, RejectsAHeartbeatOfAFormerLeader) {
  ASSERT_TRUE(Publish(Set(3)));
  ASSERT_TRUE(other.Publish(Set(4), clock.Now(), Yes, {}));
  const auto beat = Beat();
  ASSERT_FALSE(beat);
  EXPECT_EQ(beat.error().kind, ErrorKind::kIncomplete);
  EXPECT_EQ(At("index")["data"]["holder"], "leader-2");
}

TEST_F(WorkloadIndexWriterTest, IncreasesTheGenerationFromAnyState) {
  ASSERT_TRUE(Publish(Set(3)));
  At("index")["data"]["generation"] = "70";
  EXPECT_EQ(other.Publish(Set(3), clock.Now(), Yes, {})->generation, 71U);
  At("index") = {
      {"metadata", {{"name", "index"}, {"resourceVersion", "3"}}}};  // the head is missing
  other.Forget();
  EXPECT_EQ(other.Publish(Set(3), clock.Now(), Yes, {})->generation, 72U);
  server.objects.clear();
  other.Forget();
  EXPECT_EQ(other.Publish(Set(3), clock.Now(), Yes, {})->generation, 73U);
}

// Counting on from the greatest number would begin at 0 again.
TEST_F(WorkloadIndexWriterTest, AnAbsurdNumberIsNotCountedOn) {
  ASSERT_TRUE(Publish(Set(3)));
  At("index")["data"]["generation"] = "18446744073709551615";
  other.Forget();
  EXPECT_EQ(other.Publish(Set(3), clock.Now(), Yes, {})->generation, 2U);
}

// A failed write may have been stored, so its number must not be used again.
TEST_F(WorkloadIndexWriterTest, ALostAnswerCostsAReadAndANewGeneration) {
  ASSERT_TRUE(Publish(Set(3)));
  List();
  http.before = [&](const auto& method, const auto& where, const auto& body) {
    if (method == "GET") return Nothing();
    [[maybe_unused]] const auto stored = server.Do(method, where, body);
    return where.ends_with("/index") ? Nothing(Error{ErrorKind::kDeadline, "no answer"})
                                     : Nothing(server.Do("GET", where + "/index-b-0", ""));
  };
  EXPECT_FALSE(Publish(Set(4)));
  http.before = {};
  Hear();
  EXPECT_EQ(Look(), "4 from the index, generation 2");
  EXPECT_EQ(Publish(Set(4))->generation, 3U);
}

TEST_F(WorkloadIndexWriterTest, ReportsAForbiddenRequest) {
  http.before = [](const auto&, const auto&, const auto&) {
    return Nothing(HttpResponse{403, {}, StatusJson(403, "Forbidden", "no").dump()});
  };
  EXPECT_THAT(Publish(Set(1)).error().what,
              AllOf(HasSubstr("publish the workload index sweep/index: list configmaps"),
                    HasSubstr("403 Forbidden")));
  EXPECT_THAT(Beat().error().what, HasSubstr("nothing was published yet"));
}

}  // namespace
}  // namespace imagesweep::kube
