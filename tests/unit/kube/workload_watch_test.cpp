// The workloads of a cluster over TLS: seven lists and watches at once.
#include <set>

#include "agent/kube/cluster.h"
#include "tests/unit/kube/tls_fixture.h"
#include "tests/unit/kube/workload_objects.h"

namespace imagesweep::kube {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

struct WorkloadsOverTlsTest : TlsTest {
  std::atomic<bool> forbidden{false};  // jobs

  FakeApiServer::Handler Handler() {
    return [this](const FakeRequest& request, FakeReply& reply) {
      if (forbidden && request.Has("/jobs")) {
        reply.Answer(403, StatusJson(403, "Forbidden", "jobs.batch is forbidden").dump());
      } else if (request.Has("watch=1")) {
        reply.StartChunks();
        if (request.Has("/deployments")) {
          Json object = WorkloadJson("later", "later:1");
          object["kind"] = "Deployment";
          object["metadata"]["resourceVersion"] = "11";
          reply.Chunk(EventJson("ADDED", object));
        }
        reply.Stall();
      } else {
        std::vector<Json> items;
        if (request.Has("/statefulsets")) items.push_back(WorkloadJson("db", "db:1"));
        reply.Answer(200, ListJson("10", items));
      }
    };
  }

  std::unique_ptr<Cluster> Connect(const FakeApiServer& server) const {
    ClusterOptions options;
    options.node_name = "node1";
    options.seed = 1;
    options.workloads_start_within = Millis(200);
    auto cluster = Cluster::Connect(At(server), std::move(options), clock);
    EXPECT_TRUE(cluster);
    return *std::move(cluster);
  }

  // The images, when this number has arrived.
  std::vector<std::string> Look(Cluster& cluster, std::size_t at_least) const {
    std::vector<std::string> texts;
    const SteadyTime until = clock.Steady() + std::chrono::seconds(10);
    do {
      texts.clear();
      if (const auto read = cluster.workloads().Read(SteadyTime::min(), {}))
        for (const auto& reference : read->references) texts.push_back(reference.text);
    } while (texts.size() < at_least && clock.Steady() < until && clock.Sleep(Millis(20), {}));
    return texts;
  }
};

TEST_F(WorkloadsOverTlsTest, ListsAndWatchesEveryKind) {
  FakeApiServer server(good, Handler());
  const auto cluster = Connect(server);
  cluster->WatchWorkloads();
  EXPECT_THAT(Look(*cluster, 2), ElementsAre("db:1", "later:1"));
  ASSERT_TRUE(server.WaitForRequests(14));
  std::set<std::string> watched;
  for (const auto& request : server.requests())
    if (request.Has("watch=1")) watched.insert(request.target.substr(0, request.target.find('?')));
  EXPECT_THAT(watched, SizeIs(7));
}

TEST_F(WorkloadsOverTlsTest, OneForbiddenKindRefusesAllUntilItIsGranted) {
  forbidden = true;
  FakeApiServer server(good, Handler());
  Mailbox<int> back;
  const auto cluster = Connect(server);
  cluster->WatchWorkloads([&] { back.Put(1); });
  std::string why;
  const SteadyTime until = clock.Steady() + std::chrono::seconds(10);
  do {
    const auto read = cluster->workloads().Read(SteadyTime::min(), {});
    ASSERT_FALSE(read);
    why = read.error().what;
  } while (why.find("403") == std::string::npos && clock.Steady() < until &&
           clock.Sleep(Millis(20), {}));
  EXPECT_THAT(why, AllOf(HasSubstr("workloads: list jobs: "), HasSubstr("403 Forbidden")));
  EXPECT_THAT(why, HasSubstr("the chart's workloads.mode=direct grants it"));
  forbidden = false;
  EXPECT_TRUE(back.Take()) << "nobody told that it can be read";
  EXPECT_THAT(Look(*cluster, 2), Contains("db:1"));
}

TEST_F(WorkloadsOverTlsTest, TheCommandLineListsWithoutAWatch) {
  FakeApiServer server(good, Handler());
  const auto cluster = Connect(server);
  EXPECT_THAT(server.requests(), SizeIs(0)) << "only when it is asked";
  EXPECT_THAT(Look(*cluster, 1), ElementsAre("db:1"));
  EXPECT_THAT(server.requests(), SizeIs(7));
}

}  // namespace
}  // namespace imagesweep::kube
