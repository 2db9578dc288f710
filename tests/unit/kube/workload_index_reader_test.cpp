#include "agent/kube/index/workload_index_reader.h"

#include <malloc.h>

#include <iostream>

#include "tests/unit/kube/workload_index_fixture.h"

namespace imagesweep::kube {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST_F(WorkloadIndexTest, AnAgentSeesThePublishedSet) {
  List();
  EXPECT_THAT(Look(), AllOf(HasSubstr("there is no workload index sweep/index"),
                            HasSubstr("--index-name=index")));
  ASSERT_TRUE(Publish(Set(3)));
  Hear();
  const auto read = store.Read();
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->references, Set(3));
  EXPECT_EQ(read->origin, "the index, generation 1");
  EXPECT_EQ(read->as_of, clock.Steady());
  ASSERT_TRUE(Publish(Set(4)));
  Hear();
  EXPECT_EQ(Look(), "4 from the index, generation 2");
}

TEST_F(WorkloadIndexTest, AnEmptySetIsAPublishedSetAndNotAMissingOne) {
  ASSERT_TRUE(Publish({}));
  List();
  EXPECT_EQ(Look(), "0 from the index, generation 1");
}

TEST_F(WorkloadIndexTest, FailsToReadBeforeTheFirstList) {
  EXPECT_THAT(Look(), HasSubstr("has not been read yet"));
  store.OnDisconnected({ErrorKind::kDenied, "configmaps is forbidden"});
  EXPECT_THAT(Look(), HasSubstr("configmaps is forbidden"));
}

// Between any two writes of the leader, an agent sees the old set or the new one. This holds for a
// watch and for a list, and whether or not the leader continues.
TEST_F(WorkloadIndexTest, AtEveryMomentOfAPublicationTheOldSetOrTheNewOneIsSeen) {
  ASSERT_TRUE(Publish(BigSet(20)));
  ASSERT_TRUE(Publish(BigSet(21)));
  List();
  std::size_t writes = 0;
  http.before = [&](const auto& method, const auto&, const auto&) {
    if (method == "GET") return std::optional<Result<HttpResponse>>();
    ++writes;
    Hear();
    EXPECT_EQ(Look(), "21 from the index, generation 2");
    WorkloadIndexStore fresh(index, clock);
    EXPECT_TRUE(fresh.Replace(server.List(path)));
    const auto read = fresh.Read();
    EXPECT_TRUE(read && read->references.size() == 21U);
    // An agent that listed in the middle receives the rest as events.
    return std::optional<Result<HttpResponse>>();
  };
  const auto published = Publish(BigSet(22));
  ASSERT_TRUE(published) << published.error().what;
  EXPECT_EQ(published->shards, 3U);
  EXPECT_EQ(writes, 4U);
  Hear();
  EXPECT_EQ(Look(), "22 from the index, generation 3");
}

TEST_F(WorkloadIndexTest, SeesThePublishedSetAfterAListInTheMiddleOfAPublication) {
  for (std::size_t stop_at = 1; stop_at <= 4; ++stop_at) {
    ASSERT_TRUE(Publish(BigSet(20)));
    std::size_t writes = 0;
    http.before = [&](const auto& method, const auto&, const auto&) {
      if (method != "GET" && ++writes == stop_at) List();
      return std::optional<Result<HttpResponse>>();
    };
    ASSERT_TRUE(Publish(BigSet(21)));
    http.before = {};
    Hear();
    EXPECT_THAT(Look(), HasSubstr("21 from")) << stop_at;
  }
}

TEST_F(WorkloadIndexTest, FailsToReadWhenTheHeartbeatStops) {
  ASSERT_TRUE(Publish(Set(3)));
  List();
  for (int minute = 0; minute < 30; ++minute) {
    clock.Advance(minutes(1));
    ASSERT_TRUE(Beat());
    Hear();
    ASSERT_EQ(Look(), "3 from the index, generation 1");
  }
  clock.Advance(minutes(10));
  EXPECT_EQ(Look(), "3 from the index, generation 1");
  clock.Advance(seconds(61));
  EXPECT_THAT(Look(), AllOf(HasSubstr("was last true 11m"), HasSubstr("written by leader-1")));
  store.OnDisconnected({ErrorKind::kUnavailable, "connection refused"});
  EXPECT_THAT(Look(), HasSubstr("its watch is lost: connection refused"));
  ASSERT_TRUE(Beat());
  Hear();
  EXPECT_EQ(Look(), "3 from the index, generation 1");
}

// Data that a server repeats is not new.
TEST_F(WorkloadIndexTest, DoesNotCountARepeatedHeadAsAHeartbeat) {
  ASSERT_TRUE(Publish(Set(3)));
  List();
  clock.Advance(minutes(11));
  List();
  EXPECT_THAT(Look(), HasSubstr("was last true 11m"));
}

TEST_F(WorkloadIndexTest, AtTheStartTheHeartbeatMustBeFreshByTheClock) {
  ASSERT_TRUE(Publish(Set(3)));
  clock.Advance(minutes(9));
  List();
  EXPECT_EQ(Look(), "3 from the index, generation 1");
  clock.Advance(minutes(2));
  EXPECT_THAT(Look(), HasSubstr("was last true 11m")) << "its age counts from the start";
  WorkloadIndexStore late(index, clock);
  ASSERT_TRUE(late.Replace(server.List(path)));
  EXPECT_FALSE(late.Read());
}

TEST_F(WorkloadIndexTest, RejectsAHeartbeatFromTheFuture) {
  ASSERT_TRUE(Publish(Set(3)));
  clock.JumpWallClock(-std::chrono::hours(1));
  List();
  EXPECT_THAT(Look(), AllOf(HasSubstr("in this node's future"),
                            HasSubstr("correct the clock of this node or that of")));
}

TEST_F(WorkloadIndexTest, AWallClockThatJumpsLaterChangesNothing) {
  ASSERT_TRUE(Publish(Set(3)));
  List();
  clock.JumpWallClock(-std::chrono::hours(24));
  clock.Advance(minutes(11));
  EXPECT_THAT(Look(), HasSubstr("was last true 11m"));
}

TEST_F(WorkloadIndexTest, NoPartOfASetIsEverASet) {
  ASSERT_TRUE(Publish(BigSet()));
  struct Case {
    const char* what;
    std::function<void()> break_it;
    const char* why;
  };
  const Case cases[] = {
      {"missing", [&] { server.objects.erase(path + "/index-a-1"); },
       "is incomplete in generation 1: shard 2 of 3 is missing"},
      {"torn by generation", [&] { At("index-a-1")["data"]["generation"] = "2"; },
       "torn: shard 2 belongs to another set (generation 2)"},
      {"torn by sha256", [&] { At("index-a-2")["data"]["sha256"] = "aa"; },
       "torn: shard 3 belongs to another set"},
      {"another count", [&] { At("index")["data"]["shards"] = "2"; }, "belongs to another set"},
      {"damaged", [&] { At("index-a-0")["binaryData"]["payload"] = "AAAA"; }, "sha256"},
      {"not base64", [&] { At("index-a-0")["binaryData"]["payload"] = "A"; },
       "ConfigMap index-a-0: its payload is not base64"},
      {"no payload", [&] { At("index-a-0").erase("binaryData"); }, "it has no payload"},
      {"another format", [&] { At("index")["data"]["format"] = "2"; },
       "it has format 2, and this version reads only 1"},
      {"another slot", [&] { At("index")["data"]["slot"] = "b"; }, "there are no shards"},
      {"another count of references", [&] { At("index")["data"]["references"] = "21"; },
       "it has 20 references instead of 21"},
      {"another head", [&] { At("index")["data"]["sha256"] = "aa"; }, "torn"},
  };
  const auto good = server.objects;
  for (const auto& [what, break_it, why] : cases) {
    server.objects = good;
    break_it();
    WorkloadIndexStore agent(index, clock);
    ASSERT_TRUE(agent.Replace(server.List(path)));
    const auto read = agent.Read();
    ASSERT_FALSE(read) << what;
    EXPECT_THAT(read.error().what, HasSubstr(why)) << what;
  }
}

TEST_F(WorkloadIndexTest, ADeletedShardOrHeadIsNoticedAtOnce) {
  for (const char* name : {"index-a-0", "index"}) {
    server.objects.clear();
    writer.Forget();
    const auto published = Publish(Set(3));
    ASSERT_TRUE(published);
    List();
    const Json gone = At(ShardName(index, At("index")["data"]["slot"].get<std::string>()[0], 0));
    ASSERT_TRUE(
        store.Apply(EventType::kDeleted, std::string(name) == "index" ? At("index") : gone));
    EXPECT_FALSE(store.Read()) << name;
  }
}

// A server with old data behind a load balancer, or a restored backup.
TEST_F(WorkloadIndexTest, RejectsAnOlderSetUntilItsHeartbeatContinues) {
  ASSERT_TRUE(Publish(Set(3)));
  const auto backup = server.objects;
  clock.Advance(minutes(1));
  ASSERT_TRUE(Publish(Set(4)));
  ASSERT_TRUE(Publish(Set(5)));
  List();
  EXPECT_EQ(Look(), "5 from the index, generation 3");
  server.objects = backup;
  List();
  EXPECT_THAT(Look(),
              AllOf(HasSubstr("went back from generation 3 to 1"), HasSubstr("next heartbeat")));
  // A leader that continues from there.
  WorkloadIndexWriter other(http, index, "leader-2", {});
  clock.Advance(seconds(5));
  ASSERT_TRUE(other.Publish(Set(6), clock.Now(), Yes, {}));
  List();
  EXPECT_EQ(Look(), "6 from the index, generation 2");
}

// Anyone who may write the head can write false data. The next correct heartbeat repairs it without
// a restart.
TEST_F(WorkloadIndexTest, RecoversFromAForgedHeadWithTheNextTrueHeartbeat) {
  ASSERT_TRUE(Publish(Set(3)));
  List();
  const struct {
    const char* what;
    std::uint64_t generation;
    Millis ahead;
    bool believed;
  } poisons[] = {
      {"the year 2100", 18446744073709551615U, std::chrono::hours(24 * 365 * 75), false},
      {"a clock that is eleven minutes ahead", 2, minutes(11), false},
      {"the greatest generation, now", 18446744073709551615U, Millis(0), true},
      {"nine minutes ahead", 18446744073709551615U, minutes(9), true},
  };
  for (const auto& [what, generation, ahead, believed] : poisons) {
    clock.Advance(minutes(1));
    WorkloadIndexStore fresh(index, clock);  // an agent that starts now
    FakeObjectHttp liar(server);
    WorkloadIndexWriter lies(liar, index, "mallory", {}, kShardBytes);
    ASSERT_TRUE(lies.Publish({}, clock.Now() + ahead, Yes, {})) << what;
    Json& head = At("index");
    for (auto& [name, object] : server.objects)
      if (name.ends_with("-0") && object["data"]["generation"] == head["data"]["generation"])
        object["data"]["generation"] = std::to_string(generation);
    head["data"]["generation"] = std::to_string(generation);
    List();
    ASSERT_TRUE(fresh.Replace(server.List(path)));
    EXPECT_EQ(static_cast<bool>(store.Read()), believed) << what << ": " << Look();
    if (!believed) {
      EXPECT_THAT(Look(), HasSubstr("in this node's future")) << what;
      EXPECT_FALSE(fresh.Read()) << what;
    }
    writer.Forget();  // as a leader does that finds it damaged
    clock.Advance(seconds(5));
    ASSERT_TRUE(Publish(Set(3))) << what;
    seen = server.events.size() - 2;  // through events, not a list
    Hear();
    EXPECT_THAT(Look(), HasSubstr("3 from the index")) << what;
    ASSERT_TRUE(fresh.Replace(server.List(path)));
    EXPECT_TRUE(fresh.Read()) << what << ": " << fresh.Read().error().what;
    clock.Advance(minutes(9));
    EXPECT_THAT(Look(), HasSubstr("3 from the index")) << what;
  }
}

// Old data of the same set has the same content, and is no younger.
TEST_F(WorkloadIndexTest, AnOldHeartbeatOfTheSameSetChangesNothing) {
  ASSERT_TRUE(Publish(Set(3)));
  const auto old = server.objects;
  clock.Advance(minutes(5));
  ASSERT_TRUE(Beat());
  List();
  server.objects = old;
  clock.Advance(minutes(9));
  List();
  EXPECT_EQ(Look(), "3 from the index, generation 1");
  clock.Advance(minutes(2));
  EXPECT_THAT(Look(), HasSubstr("was last true 11m"));
}

TEST_F(WorkloadIndexTest, ListsForEachReadWithoutAWatch) {
  ASSERT_TRUE(Publish(Set(3)));
  const Lister lister(http, path, "configmaps", IndexSelector(index), {});
  WorkloadIndexReader reader(lister, index, nullptr, clock);
  EXPECT_EQ(reader.Read(SteadyTime::min(), {})->references.size(), 3U);
  ASSERT_TRUE(Publish(Set(4)));
  EXPECT_EQ(reader.Read(SteadyTime::min(), {})->references.size(), 4U);
  clock.Advance(minutes(11));
  EXPECT_FALSE(reader.Read(SteadyTime::min(), {}));
  http.before = [](const auto&, const auto&, const auto&) {
    return Result<HttpResponse>(Error{ErrorKind::kUnavailable, "connection refused"});
  };
  EXPECT_THAT(reader.Read(SteadyTime::min(), {}).error().what, HasSubstr("connection refused"));
}

// Someone published an empty set with the next generation and a current heartbeat.
TEST_F(WorkloadIndexTest, ASetThatLacksMuchHasToLast) {
  ASSERT_TRUE(Publish(Set(30)));
  List();
  const Lister lister(http, path, "configmaps", IndexSelector(index), {});
  WorkloadIndexReader reader(lister, index, &store, clock);
  const auto read = [&] {
    const auto seen_now = reader.Read(SteadyTime::min(), {});
    return seen_now ? std::to_string(seen_now->references.size()) : seen_now.error().what;
  };
  EXPECT_EQ(read(), "30");
  FakeObjectHttp liar(server);
  WorkloadIndexWriter lies(liar, index, "mallory", {}, kShardBytes);
  clock.Advance(seconds(5));
  ASSERT_TRUE(lies.Publish({}, clock.Now(), Yes, {}));
  List();
  EXPECT_EQ(Look(), "0 from the index, generation 2");
  EXPECT_THAT(
      read(),
      HasSubstr("sweep/index: fell from 30 references to 0; waiting 2m to confirm the loss"));
  writer.Forget();
  clock.Advance(minutes(1));
  ASSERT_TRUE(Publish(Set(30)));
  List();
  EXPECT_EQ(read(), "30") << "its leader was there";

  ASSERT_TRUE(Publish(Set(25)));
  List();
  EXPECT_EQ(read(), "25") << "that is no sharp loss";
  ASSERT_TRUE(Publish(Set(12)));
  List();
  EXPECT_THAT(read(), HasSubstr("fell from 25 references to 12"));
  clock.Advance(minutes(1));
  ASSERT_TRUE(Publish(Set(2)));
  List();
  EXPECT_THAT(read(), HasSubstr("fell from 25 references to 2"));
  clock.Advance(minutes(1));
  EXPECT_THAT(read(), HasSubstr("fell from")) << "two are another loss than twelve";
  clock.Advance(minutes(1));
  EXPECT_EQ(read(), "2");
}

TEST_F(WorkloadIndexTest, ListsOnlyUntilTheFirstListOfItsWatch) {
  ASSERT_TRUE(Publish(Set(3)));
  const Lister lister(http, path, "configmaps", IndexSelector(index), {});
  WorkloadIndexReader reader(lister, index, &store, clock);
  EXPECT_EQ(reader.Read(SteadyTime::min(), {})->references.size(), 3U);
  List();
  const auto asked = server.requests.size();
  EXPECT_EQ(reader.Read(SteadyTime::min(), {})->references.size(), 3U);
  EXPECT_EQ(server.requests.size(), asked);
}

TEST_F(WorkloadIndexTest, NotifiesOnceWhenASetIsReadableAfterAFailure) {
  int told = 0;
  WorkloadIndexStore agent(index, clock, [&] { ++told; });
  const auto hear = [&] { EXPECT_TRUE(agent.Replace(server.List(path))); };
  hear();
  ASSERT_TRUE(Publish(Set(3)));
  hear();
  EXPECT_EQ(told, 0) << "nobody asked";
  EXPECT_TRUE(agent.Read());
  ASSERT_TRUE(Beat());
  hear();
  EXPECT_EQ(told, 0) << "nobody was refused";
  clock.Advance(minutes(11));
  EXPECT_FALSE(agent.Read());
  hear();
  EXPECT_EQ(told, 0) << "nothing is new";
  ASSERT_TRUE(Beat());
  hear();
  hear();
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(agent.Read());
}

// The references are in memory only while they are read.
TEST_F(WorkloadIndexTest, AnAgentKeepsLittleOfABigIndex) {
  WorkloadIndexWriter big(http, index, "leader-1", {});
  ASSERT_TRUE(big.Publish(ClusterOf(10'000), clock.Now(), Yes, {}));
  const ObjectList list = server.List(path);
  const auto before = mallinfo2();
  ASSERT_TRUE(store.Replace(list));
  const auto after = mallinfo2();
  const std::size_t kept = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
  std::cout << "an agent keeps " << kept << " bytes of 30,000 references\n";
  EXPECT_LT(kept, 4U << 20);
  EXPECT_EQ(store.Read()->references.size(), 30'000U);
}

// ConfigMaps of others with this label have no effect.
TEST_F(WorkloadIndexTest, OtherObjectsAreNotPartOfIt) {
  ASSERT_TRUE(Publish(Set(3)));
  server.objects[path + "/index-a-1"] = {
      {"metadata", {{"name", "index-a-1"}, {"resourceVersion", "1"}}}};
  server.objects[path + "/other"] = {{"metadata", {{"name", "other"}, {"resourceVersion", "1"}}}};
  List();
  EXPECT_EQ(Look(), "3 from the index, generation 1");
  EXPECT_FALSE(store.Apply(EventType::kAdded, Json::object()));
}

}  // namespace
}  // namespace imagesweep::kube
