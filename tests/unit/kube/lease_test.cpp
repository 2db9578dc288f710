#include "agent/kube/index/lease.h"

#include <gmock/gmock.h>

#include "tests/support/fake_objects.h"

namespace imagesweep::kube {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kPath = "/apis/coordination.k8s.io/v1/namespaces/sweep/leases/index";

struct LeaseTest : testing::Test {
  FakeClock clock;
  FakeObjects server;

  // One process that wants to lead.
  struct Candidate {
    Candidate(LeaseTest& test, const std::string& holder)
        : http(test.server),
          lease(
              http, {.name_space = "sweep", .name = "index", .holder = holder}, test.clock, {},
              [this](bool leads, const std::string&) { told.push_back(leads); },
              [this](const std::optional<Error>& why) {
                if (why) errors.push_back(why->what);
              }) {}
    FakeObjectHttp http;
    std::vector<bool> told;
    std::vector<std::string> errors;
    Lease lease;
    Millis Step() { return lease.Step({}); }
    void CutOff() {
      http.before = [](const auto&, const auto&, const auto&) {
        return Result<HttpResponse>(Error{ErrorKind::kUnavailable, "connection refused"});
      };
    }
  };
  Candidate a{*this, "a"};
  Candidate b{*this, "b"};
  Json Spec() { return server.objects.at(kPath)["spec"]; }
};

TEST_F(LeaseTest, TheFirstTakesItAndRenewsIt) {
  EXPECT_EQ(a.Step(), seconds(5));
  EXPECT_TRUE(a.lease.Leads());
  const Json first = Spec();
  EXPECT_EQ(first["holderIdentity"], "a");
  EXPECT_EQ(first["leaseDurationSeconds"], 15);
  EXPECT_EQ(first["leaseTransitions"], 0);
  EXPECT_THAT(first["renewTime"].get<std::string>(), testing::EndsWith("000Z"));
  EXPECT_EQ(b.Step(), seconds(2));
  EXPECT_FALSE(b.lease.Leads());
  clock.Advance(seconds(5));
  a.Step();
  EXPECT_EQ(Spec()["acquireTime"], first["acquireTime"]);
  EXPECT_NE(Spec()["renewTime"], first["renewTime"]);
  EXPECT_THAT(a.told, ElementsAre(true));
  EXPECT_THAT(b.told, ElementsAre());
}

TEST_F(LeaseTest, AnotherTakesItOnlyWhenItWasNotRenewedForItsDuration) {
  a.Step();
  b.Step();
  clock.Advance(Millis(14'999));
  b.Step();
  EXPECT_FALSE(b.lease.Leads());
  clock.Advance(Millis(1));
  b.Step();
  EXPECT_TRUE(b.lease.Leads());
  EXPECT_FALSE(a.lease.Leads());
  EXPECT_EQ(Spec()["holderIdentity"], "b");
  EXPECT_EQ(Spec()["leaseTransitions"], 1);
  a.Step();
  EXPECT_FALSE(a.lease.Leads());
}

// The times in the record come from a clock that may be hours off.
TEST_F(LeaseTest, IgnoresTheWallClocksOfOtherNodes) {
  for (const auto off : {hours(-5), hours(5)}) {
    server.objects.clear();
    Candidate old{*this, "old"}, taker{*this, "taker"};
    clock.JumpWallClock(off);
    old.Step();
    clock.JumpWallClock(-off);
    for (int i = 0; i < 20; ++i) {
      taker.Step();
      EXPECT_FALSE(taker.lease.Leads());
      clock.Advance(seconds(5));
      old.Step();
    }
  }
}

TEST_F(LeaseTest, StepsDownBeforeAnotherCanTakeItWhenRenewalFails) {
  a.Step();
  b.Step();
  a.CutOff();
  for (int second = 0; second < 15; ++second) {
    EXPECT_EQ(a.lease.Leads(), second < 10) << second;
    if (second % 2 == 0) a.Step();
    b.Step();
    EXPECT_FALSE(b.lease.Leads()) << second;
    clock.Advance(seconds(1));
  }
  b.Step();
  EXPECT_TRUE(b.lease.Leads());
  EXPECT_THAT(a.told, ElementsAre(true, false));
  EXPECT_THAT(a.errors, ElementsAre("Lease sweep/index: connection refused"));
}

// A write may have been stored although its answer was lost.
TEST_F(LeaseTest, KeepsTheLeaseWhenAnAnswerIsLost) {
  a.Step();
  a.http.before = [&](const auto& method, const auto& path, const auto& body) {
    if (method == "PUT") [[maybe_unused]]
      const auto stored = server.Do(method, path, body);
    return std::optional<Result<HttpResponse>>(Error{ErrorKind::kDeadline, "no answer"});
  };
  clock.Advance(seconds(5));
  a.Step();
  EXPECT_TRUE(a.lease.Leads());
  a.http.before = {};
  a.Step();
  EXPECT_TRUE(a.lease.Leads());
  EXPECT_EQ(Spec()["leaseTransitions"], 0);
}

TEST_F(LeaseTest, ElectsOneLeaderWhenTwoTakeItAtOnce) {
  a.Step();
  b.Step();
  Candidate c{*this, "c"};
  c.Step();
  clock.Advance(seconds(16));
  c.http.before = [&](const auto& method, const auto&, const auto&) {
    if (method == "PUT") {
      c.http.before = {};
      b.Step();  // between c's read and c's write
    }
    return std::optional<Result<HttpResponse>>();
  };
  EXPECT_EQ(c.Step(), seconds(2));
  EXPECT_TRUE(b.lease.Leads());
  EXPECT_FALSE(c.lease.Leads());
  EXPECT_THAT(c.errors, ElementsAre()) << "that is how it shall be";
}

TEST_F(LeaseTest, AStopGivesItBackAtOnce) {
  a.Step();
  b.Step();
  a.lease.Release();
  EXPECT_FALSE(a.lease.Leads());
  EXPECT_FALSE(Spec().contains("holderIdentity"));
  b.Step();
  EXPECT_TRUE(b.lease.Leads());
  EXPECT_EQ(Spec()["leaseTransitions"], 1);
  a.lease.Release();  // this process no longer holds it
  EXPECT_EQ(Spec()["holderIdentity"], "b");
}

TEST_F(LeaseTest, RunEndsWithASteppedDownLeader) {
  std::stop_source stop;
  stop.request_stop();
  a.Step();
  a.lease.Run(stop.get_token());
  EXPECT_FALSE(a.lease.Leads());
  EXPECT_THAT(a.told, ElementsAre(true, false));
}

TEST_F(LeaseTest, IsNotTakenWhenUnreadable) {
  for (const auto& [why, object] : std::vector<std::pair<std::string, Json>>{
           {"a holder of another type",
            {{"metadata", {{"resourceVersion", "7"}}}, {"spec", {{"holderIdentity", 3}}}}},
           {"no version", {{"metadata", {{"name", "index"}}}, {"spec", Json::object()}}},
           {"a spec of another type", {{"metadata", {{"resourceVersion", "7"}}}, {"spec", 1}}}}) {
    Candidate taker{*this, "taker"};
    server.objects[kPath] = object;
    taker.Step();
    EXPECT_FALSE(taker.lease.Leads()) << why;
    EXPECT_EQ(server.objects[kPath], object) << why;
  }
}

TEST_F(LeaseTest, ReportsAnAnswerThatIsNoJson) {
  a.http.before = [](const auto&, const auto&, const auto&) {
    return Result<HttpResponse>(HttpResponse{200, {}, "<html>"});
  };
  a.Step();
  a.Step();
  ASSERT_EQ(a.errors.size(), 1U);
  EXPECT_THAT(a.errors[0], HasSubstr("JSON"));
  EXPECT_FALSE(a.lease.Leads());
}

TEST_F(LeaseTest, ReportsAForbiddenLeaseOnce) {
  a.http.before = [](const auto&, const auto&, const auto&) {
    return Result<HttpResponse>(
        HttpResponse{403, {}, StatusJson(403, "Forbidden", "leases is forbidden").dump()});
  };
  a.Step();
  a.Step();
  ASSERT_EQ(a.errors.size(), 1U);
  EXPECT_THAT(a.errors[0], HasSubstr("403 Forbidden"));
  EXPECT_FALSE(a.lease.Leads());
}

}  // namespace
}  // namespace imagesweep::kube
