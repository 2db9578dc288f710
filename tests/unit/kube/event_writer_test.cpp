#include "agent/kube/client/event_writer.h"

#include <gmock/gmock.h>

#include "tests/support/scripted_http.h"

namespace imagesweep::kube {
namespace {

using testing::HasSubstr;

constexpr const char* kNode = R"({"kind":"Node","metadata":{"name":"node1","uid":"uid-of-node1"}})";

Step Says(int status, const std::string& body) {
  Step step;
  step.status = status;
  step.body = body;
  return step;
}

NodeEventWrite Write() {
  const SystemTime at{std::chrono::milliseconds(1'700'000'000'123)};
  return {{true, "PolicyInvalid", "LoadPolicy", "line 3: no such field"},
          "node1.policyinvalid.1",
          at,
          at,
          1,
          false};
}

struct EventWriterTest : testing::Test {
  FakeClock clock;
  ScriptedHttp http{clock};
  EventWriter writer{http, "node1", "imagesweep-x7k2p", {}};
};

TEST_F(EventWriterTest, CarriesTheNodesRealUid) {
  http.script = {Says(200, kNode), Says(201, "{}")};
  ASSERT_TRUE(writer.Write(Write(), {}));
  ASSERT_EQ(http.asked.size(), 2U);
  EXPECT_EQ(http.asked[1].method, "POST");
  EXPECT_EQ(http.asked[1].path, "/apis/events.k8s.io/v1/namespaces/default/events");
  const Json sent = Json::parse(http.asked[1].body);
  EXPECT_EQ(sent["regarding"]["uid"], "uid-of-node1");
  EXPECT_EQ(sent["regarding"]["kind"], "Node");
  EXPECT_EQ(sent["type"], "Warning");
  EXPECT_EQ(sent["reportingController"], "imagesweep");
  EXPECT_EQ(sent["reportingInstance"], "imagesweep-x7k2p");
  EXPECT_EQ(sent["eventTime"], "2023-11-14T22:13:20.123000Z");  // MicroTime: six digits
}

TEST_F(EventWriterTest, AsksForTheUidOnce) {
  http.script = {Says(200, kNode), Says(201, "{}"), Says(201, "{}")};
  ASSERT_TRUE(writer.Write(Write(), {}));
  ASSERT_TRUE(writer.Write(Write(), {}));
  EXPECT_EQ(http.asked.size(), 3U);
}

TEST_F(EventWriterTest, ASeriesIsAPatchOfTheEventThatIsThere) {
  http.script = {Says(200, "{}")};
  NodeEventWrite write = Write();
  write.exists = true;
  write.count = 3;
  ASSERT_TRUE(writer.Write(write, {}));
  EXPECT_EQ(http.asked[0].method, "PATCH");
  EXPECT_THAT(http.asked[0].path, HasSubstr("/events/node1.policyinvalid.1"));
  EXPECT_EQ(Json::parse(http.asked[0].body), Json::parse(R"({"series":{"count":3,
                            "lastObservedTime":"2023-11-14T22:13:20.123000Z"}})"));
}

TEST_F(EventWriterTest, HostileAndLongNotesAreMadeFit) {
  NodeEventWrite write = Write();
  write.event.note = "a\nb\x1b[31m\xff" + std::string(2000, 'x');
  const Json sent = EventObject(write, "node1", "u", "i");
  const auto note = sent["note"].get<std::string>();
  EXPECT_THAT(note, testing::StartsWith("a?b?[31m?xxx"));
  EXPECT_LE(note.size(), 1024U);
}

TEST_F(EventWriterTest, AnswersBecomeErrorsOfTheirKind) {
  const struct {
    int status;
    std::optional<ErrorKind> kind;  // empty: success
  } cases[] = {{201, std::nullopt},
               {409, std::nullopt},  // sent twice, so the event exists
               {403, ErrorKind::kDenied},
               {500, ErrorKind::kUnavailable}};
  for (const auto& [status, kind] : cases) {
    http.script = {Says(200, kNode), Says(status, "{}")};
    EventWriter fresh(http, "node1", "pod", {});
    const Status written = fresh.Write(Write(), {});
    EXPECT_EQ(static_cast<bool>(written), !kind) << status;
    if (kind) {
      EXPECT_EQ(written.error().kind, *kind) << status;
    }
  }
  http.script = {Says(404, "{}")};
  NodeEventWrite gone = Write();
  gone.exists = true;
  EXPECT_EQ(writer.Write(gone, {}).error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace imagesweep::kube
