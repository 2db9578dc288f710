// The complete client over TLS: lists, watches, ConfigMap.
#include "agent/kube/cluster.h"

#include "tests/unit/kube/objects.h"
#include "tests/unit/kube/tls_fixture.h"

namespace imagesweep::kube {
namespace {

using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Lt;
using testing::UnorderedElementsAre;

Json ConfigMapJson(const std::string& text, const std::string& version) {
  return {{"kind", "ConfigMap"},
          {"metadata", {{"name", "policy"}, {"namespace", "sweep"}, {"resourceVersion", version}}},
          {"data", {{"policy.yaml", text}}}};
}

std::string ConfigMapList(const std::string& text) {
  Json item = ConfigMapJson(text, "10");
  item.erase("kind");
  return Json{
      {"kind", "ConfigMapList"}, {"metadata", {{"resourceVersion", "10"}}}, {"items", {item}}}
      .dump();
}

struct ClusterTest : TlsTest {
  // The parts of a correct server. A test replaces one of them.
  std::atomic<int> version{0};  // of lists: 10, 20 …
  std::function<void(FakeReply&)> list = [this](FakeReply& reply) {
    reply.Answer(200, ListJson(std::to_string(version += 10), {PodJson("listed", "listed:1")}));
  };
  std::function<void(const FakeRequest&, FakeReply&)> watch = [](const FakeRequest&,
                                                                 FakeReply& reply) {
    reply.StartChunks();
    reply.Stall();
  };
  std::function<void(FakeReply&)> config_list = [](FakeReply& reply) {
    reply.Answer(200, ConfigMapList("one"));
  };

  std::function<void(FakeReply&)> configz = [](FakeReply& reply) {
    reply.Answer(200, R"({"kubeletconfig": {"imageGCHighThresholdPercent": 70,
                                            "imageGCLowThresholdPercent": 60}})");
  };

  FakeApiServer::Handler Handler() {
    return [this](const FakeRequest& request, FakeReply& reply) {
      if (request.Has("/proxy/configz")) {
        configz(reply);
      } else if (request.Has("/nodes/")) {
        reply.Answer(200, NodeJson());
      } else if (request.Has("watch=1")) {
        watch(request, reply);
      } else if (request.Has("/configmaps")) {
        config_list(reply);
      } else {
        list(reply);
      }
    };
  }

  Mailbox<std::string> requests;
  std::unique_ptr<Cluster> Connect(const FakeApiServer& server) {
    ClusterOptions options;
    options.node_name = "node1";
    options.seed = 1;
    options.observer = [this](auto verb, auto resource, auto code) {
      requests.Put(std::string(verb) + " " + std::string(resource) + " " + std::string(code));
    };
    auto cluster = Cluster::Connect(At(server), std::move(options), clock);
    EXPECT_TRUE(cluster) << cluster.error().what;
    return *std::move(cluster);
  }

  // The images of the next successful read: a watch takes a moment to begin.
  static std::vector<std::string> Look(Cluster& cluster, std::size_t at_least = 1) {
    std::vector<std::string> texts;
    std::string why;
    const RealClock real;
    const SteadyTime until = real.Steady() + std::chrono::seconds(10);
    do {
      texts.clear();
      const auto seen = cluster.pods().Read(std::chrono::seconds(30), {});
      why = seen ? "" : seen.error().what;
      if (seen)
        for (const auto& reference : seen->references) texts.push_back(reference.text);
    } while (texts.size() < at_least && real.Steady() < until && real.Sleep(Millis(20), {}));
    EXPECT_EQ(why, "");
    return texts;
  }
};

// W14, W18
TEST_F(ClusterTest, SeesItsNodeByListAndWatchTogether) {
  watch = [](const FakeRequest&, FakeReply& reply) {
    reply.StartChunks();
    reply.Chunk(EventJson("ADDED", PodJson("watched", "watched:1", "11")));
    reply.Stall();
  };
  FakeApiServer server(good, Handler());
  const auto cluster = Connect(server);
  cluster->WatchPods();
  EXPECT_THAT(Look(*cluster, 3), IsSupersetOf({"listed:1", "watched:1"}));
  std::size_t pod_requests = 0;
  for (const auto& request : server.requests()) {
    EXPECT_EQ(request.authorization, "Bearer secret");
    if (!request.Has("/api/v1/pods")) continue;
    ++pod_requests;
    EXPECT_THAT(request.target, HasSubstr("fieldSelector=spec.nodeName%3Dnode1"));
  }
  EXPECT_GE(pod_requests, 3U);
  std::vector<std::string> recent;
  for (const auto& reference : cluster->DrainRecentReferences().references)
    recent.push_back(reference.text);
  EXPECT_THAT(recent, UnorderedElementsAre("listed:1", "watched:1"));
}

TEST_F(ClusterTest, TheCommandLineListsWithoutAWatch) {
  FakeApiServer server(good, Handler());
  const auto cluster = Connect(server);
  EXPECT_THAT(Look(*cluster), UnorderedElementsAre("listed:1"));
  EXPECT_EQ(requests.Take(), "get nodes 200");
  EXPECT_EQ(requests.Take(), "list pods 200");
  for (const auto& request : server.requests()) EXPECT_FALSE(request.Has("watch=1"));
}

TEST_F(ClusterTest, AnEditOfTheConfigMapArrivesWithinASecond) {
  Mailbox<int> edit;
  watch = [&](const FakeRequest&, FakeReply& reply) {
    reply.StartChunks();
    if (edit.Take()) reply.Chunk(EventJson("MODIFIED", ConfigMapJson("two", "11")));
    reply.Stall();
  };
  FakeApiServer server(good, Handler());
  Mailbox<std::string> told;
  const auto cluster = Connect(server);
  cluster->WatchConfigMap("sweep", "policy", "policy.yaml", [&](const Result<std::string>& text) {
    told.Put(text ? *text : text.error().what);
  });
  EXPECT_EQ(told.Take(), "one");
  ASSERT_TRUE(server.WaitForRequests(2));
  const SteadyTime start = clock.Steady();
  edit.Put(1);
  EXPECT_EQ(told.Take(), "two");
  EXPECT_THAT(Since(start), Lt(std::chrono::seconds(1)));
  for (const auto& request : server.requests()) {
    EXPECT_THAT(request.target, HasSubstr("/api/v1/namespaces/sweep/configmaps?"));
    EXPECT_THAT(request.target, HasSubstr("fieldSelector=metadata.name%3Dpolicy"));
  }
}

TEST_F(ClusterTest, ReadsOneConfigMap) {
  config_list = [](FakeReply& reply) { reply.Answer(200, ConfigMapJson("text", "7").dump()); };
  FakeApiServer server(good, Handler());
  const auto cluster = Connect(server);
  EXPECT_EQ(*cluster->ReadConfigMap("sweep", "policy", "policy.yaml", {}), "text");
  EXPECT_THAT(cluster->ReadConfigMap("sweep", "policy", "other", {}).error().what,
              HasSubstr("has no key \"other\""));
  config_list = [](FakeReply& reply) {
    reply.Answer(404, StatusJson(404, "NotFound", "configmaps \"policy\" not found").dump());
  };
  EXPECT_EQ(cluster->ReadConfigMap("sweep", "policy", "policy.yaml", {}).error().kind,
            ErrorKind::kNotFound);
  EXPECT_EQ(requests.Take(), "get configmaps 200");
}

TEST_F(ClusterTest, AsksTheKubeletForItsThresholds) {
  FakeApiServer server(good, Handler());
  const auto cluster = Connect(server);
  const auto read = cluster->ReadKubeletThresholds({});
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->high_percent, 70);
  EXPECT_EQ(read->low_percent, 60);
  EXPECT_TRUE(read->read);
  configz = [](FakeReply& reply) { reply.Answer(200, R"({"kubeletconfig": {}})"); };
  EXPECT_THAT(cluster->ReadKubeletThresholds({}).error().what,
              HasSubstr("imageGCHighThresholdPercent is missing or not an integer"));
  configz = [](FakeReply& reply) {
    reply.Answer(403, StatusJson(403, "Forbidden", "nodes/proxy is forbidden").dump());
  };
  EXPECT_EQ(cluster->ReadKubeletThresholds({}).error().kind, ErrorKind::kDenied);
}

// W07: the stream breaks in the middle of an event, and the event arrives again.
TEST_F(ClusterTest, SurvivesAConnectionThatIsCutInAnEvent) {
  const std::string event = EventJson("ADDED", PodJson("p", "p:1", "11"));
  for (const bool reset : {true, false}) {
    std::atomic<int> watches{0};
    watch = [&](const FakeRequest&, FakeReply& reply) {
      reply.StartChunks();
      if (++watches > 1) {
        reply.Chunk(event);
        return reply.Stall();
      }
      reply.Chunk(event.substr(0, event.size() / 2));
      if (reset) {
        reply.Reset();
      } else {
        reply.Drop();
      }
    };
    FakeApiServer server(good, Handler());
    const auto cluster = Connect(server);
    cluster->WatchPods();
    const SteadyTime start = clock.Steady();
    EXPECT_THAT(Look(*cluster, 3), Contains("p:1")) << (reset ? "RST" : "FIN");
    EXPECT_THAT(Since(start), Lt(std::chrono::seconds(5)));
    std::size_t lists = 0;
    for (const auto& request : server.requests())
      if (request.Has("limit=500")) ++lists;
    EXPECT_EQ(lists, 2U) << "one of the watch, one of the gate: nothing was listed again";
  }
}

// W10: the server shuts down, and its requests go to the next one.
TEST_F(ClusterTest, GoesOnAfterARollingRestart) {
  std::atomic<int> watches{0};
  watch = [&](const FakeRequest&, FakeReply& reply) {
    if (++watches == 1)
      return reply.Answer(429, StatusJson(429, "TooManyRequests").dump(),
                          "Retry-After: 1\r\nConnection: close\r\n");
    reply.StartChunks();
    reply.Chunk(EventJson("ADDED", PodJson("after", "after:1", "11")));
    reply.Stall();
  };
  FakeApiServer server(good, Handler());
  const auto cluster = Connect(server);
  cluster->WatchPods();
  EXPECT_THAT(Look(*cluster, 3), Contains("after:1"));
  std::vector<std::size_t> connections;
  for (const auto& request : server.requests())
    if (request.Has("watch=1")) connections.push_back(request.connection);
  ASSERT_EQ(connections.size(), 2U);
  EXPECT_NE(connections[0], connections[1]);
}

// W20: no evidence while the certificate is not valid. The cause is reported, and the agent
// recovers by itself.
TEST_F(ClusterTest, RecoversWhenTheCertificateBecomesValid) {
  const auto later =
      ca.Issue({.valid_from = std::chrono::hours(1), .valid_to = std::chrono::hours(2)});
  FakeApiServer server(later, Handler());
  const auto cluster = Connect(server);
  cluster->WatchPods();
  EXPECT_EQ(requests.Take(), "list pods unavailable");
  const auto blind = cluster->pods().Read(std::chrono::seconds(10), {});
  ASSERT_FALSE(blind);
  EXPECT_THAT(blind.error().what, HasSubstr("certificate is not yet valid"));
  server.UseCertificate(good);
  EXPECT_THAT(Look(*cluster), Contains("listed:1"));
}

TEST_F(ClusterTest, ASilentWatchIsNoticed) {
  FakeApiServer server(good, Handler());
  ClusterOptions options;
  options.node_name = "node1";
  options.watch_idle = Millis(300);
  Mailbox<std::string> watched;
  options.observer = [&](auto verb, auto, auto code) {
    if (verb == "watch") watched.Put(std::string(code));
  };
  const auto cluster = Cluster::Connect(At(server), std::move(options), clock);
  ASSERT_TRUE(cluster);
  (*cluster)->WatchPods();
  EXPECT_EQ(watched.Take(), "deadline");
  EXPECT_EQ(watched.Take(), "deadline") << "and it watched again";
}

TEST_F(ClusterTest, StopsWithinASecondWhileWatchesAreOpen) {
  FakeApiServer server(good, Handler());
  auto cluster = Connect(server);
  cluster->WatchPods();
  cluster->WatchConfigMap("sweep", "policy", "policy.yaml", [](const Result<std::string>&) {});
  ASSERT_TRUE(server.WaitForRequests(4)) << "both lists, both watches";
  const SteadyTime start = clock.Steady();
  cluster.reset();
  EXPECT_THAT(Since(start), Lt(std::chrono::seconds(1)));
}

TEST_F(ClusterTest, ChangesTheClusterFingerprintWithTheCa) {
  FakeApiServer server(good, Handler());
  const auto fingerprint = [&](const std::string& more) {
    ApiServer to = At(server);
    to.ca += more;
    ClusterOptions options;
    options.node_name = "node1";
    const auto cluster = Cluster::Connect(to, std::move(options), clock);
    return (*cluster)->pods().Read(std::chrono::seconds(10), {})->cluster;
  };
  EXPECT_EQ(fingerprint(""), fingerprint(""));
  EXPECT_NE(fingerprint(""), fingerprint(TestCa("second").pem()));
}

}  // namespace
}  // namespace imagesweep::kube
