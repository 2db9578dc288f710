#include "agent/server/web/api.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "agent/report/documents/json.h"
#include "tests/unit/server/web/view.h"

namespace imagesweep::web {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(Api, ARunIsReadBackFromItsDocument) {
  RunEntry entry;
  entry.run = "r1";
  entry.report = SweepJson(SampleReport());
  const RunRow row = RunRowOf(entry);
  EXPECT_EQ(row.entry.run, "r1");
  EXPECT_TRUE(row.entry.report.empty()) << "it is large";
  ASSERT_TRUE(row.before && row.after && row.before->disk && row.after->disk);
  EXPECT_EQ(row.before->images, 3U);
  EXPECT_EQ(row.before->bytes, 7000U);
  EXPECT_EQ(row.before->disk->used_percent(), 90);
  EXPECT_EQ(row.after->images, 2U);
  EXPECT_EQ(row.after->disk->used_percent(), 75);
}

TEST(Api, AfterADryRunItIsAsThatWouldLeaveIt) {
  Report report = SampleReport();
  report.dry_run = true;
  RunEntry entry;
  entry.report = SweepJson(report);
  EXPECT_FALSE(RunRowOf(entry).after);
  report.predicted_after = NodeTotals{1, 1000, 0, {}};
  entry.report = SweepJson(report);
  EXPECT_EQ(RunRowOf(entry).after->images, 1U);
}

TEST(Api, AcceptsAnIncompleteDocument) {
  for (const char* document :
       {"", "{", "[]", "null", "{}", R"({"before": 3})", R"({"before": {"images": "x"}})",
        R"({"before": {"filesystem": {"sizeBytes": -1}}})"}) {
    RunEntry entry;
    entry.report = document;
    EXPECT_FALSE(RunRowOf(entry).after) << document;
  }
}

TEST(Api, ExplainsWhyThereIsNoRunYet) {
  StatusView view;
  EXPECT_EQ(WhyNoRun(view), "the first run is in progress");
  view.checks = {{"runtime", false, "connection refused"}, {"policy", true, "file"}};
  EXPECT_EQ(WhyNoRun(view), "no run yet; runtime: connection refused");
  Report refused;
  refused.refused = Refusal{"pods", {ErrorKind::kDenied, "403"}};
  view.refused = std::make_shared<const Report>(refused);
  EXPECT_THAT(WhyNoRun(view), HasSubstr("cannot read pods: 403"));
}

TEST(Api, HostileTextsStayInsideTheirString) {
  for (const std::string& text : HostileTexts()) {
    EXPECT_EQ(json::parse(ErrorJson(503, "NoRunYet", text))["status"], 503);
    const json policy =
        json::parse(PolicyJson({{text, text}, text, text, true, false, text, text}));
    EXPECT_EQ(policy["kind"], "ActivePolicy");
    EXPECT_EQ(policy.size(), 10U);
  }
}

}  // namespace
}  // namespace imagesweep::web
