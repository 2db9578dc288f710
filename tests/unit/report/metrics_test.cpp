#include "agent/telemetry/metrics.h"

#include <gmock/gmock.h>

#include <sstream>

#include "tests/support/fake_clock.h"
#include "tests/support/report.h"

namespace imagesweep {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, EverySeriesIsThereAtZeroFromTheStart) {
  FakeClock clock;
  const std::string text = Metrics("0.1.0", "abc", clock).Render();
  for (const char* line : {
           "imagesweep_build_info{revision=\"abc\",version=\"0.1.0\"} 1",
           "imagesweep_image_removals_total{reason=\"age\",result=\"success\"} 0",
           "imagesweep_refused_runs_total{source=\"pods\"} 0",
           "imagesweep_still_listed_after_remove_total 0",
           "imagesweep_images{state=\"in_use\"} 0",
           "imagesweep_cri_up 0",
           "imagesweep_policy_info{sha256=\"\",source=\"none\"} 1",
           "imagesweep_evidence_age_seconds{source=\"pods\"} 0",
           "imagesweep_evidence_age_seconds{source=\"workloads\"} 0",
           "imagesweep_refused_runs_total{source=\"workloads\"} 0",
           "imagesweep_reclaimed_bytes_total{kind=\"predicted\"} 0",
           "imagesweep_reclaimed_bytes_total{kind=\"measured\"} 0",
           "imagesweep_size_limits_exceeded 0",
           "imagesweep_removed_then_pulled_total 0",
           "imagesweep_kube_requests_total{code=\"200\",resource=\"pods\",verb=\"list\"} 0",
           "imagesweep_cri_requests_total{code=\"OK\",method=\"ListImages\"} 0",
           "imagesweep_cri_request_duration_seconds_count{method=\"RemoveImage\"} 0",
       })
    EXPECT_THAT(text, HasSubstr(line));
}

TEST(Metrics, CountsARun) {
  FakeClock clock;
  Metrics metrics("0.1.0", "abc", clock);
  metrics.RecordRun(SampleReport(), Trigger::kInterval, 0.5);
  const std::string text = metrics.Render();
  for (const char* line : {
           "imagesweep_runs_total{result=\"success\",trigger=\"interval\"} 1",
           "imagesweep_image_removals_total{reason=\"age\",result=\"success\"} 1",
           "imagesweep_images{state=\"in_use\"} 1",
           "imagesweep_images{state=\"idle\"} 1",
           "imagesweep_reclaimed_bytes_total{kind=\"measured\"} 1500",
           "imagesweep_reclaimed_bytes_total{kind=\"predicted\"} 2000",
           "imagesweep_recheck_window_seconds_count 1",
       })
    EXPECT_THAT(text, HasSubstr(line));
}

TEST(Metrics, APredictionIsTakenWhereThereIsOne) {
  FakeClock clock;
  Metrics metrics("0.1.0", "abc", clock);
  metrics.RecordRun(SampleReport(), Trigger::kInterval, 0.5, 1234);
  EXPECT_THAT(metrics.Render(),
              HasSubstr("imagesweep_reclaimed_bytes_total{kind=\"predicted\"} 1234"));
}

// --dry-run, or an override by the labels of the node.
TEST(Metrics, ShowDryRunAndSuspendOfTheLastRun) {
  FakeClock clock;
  Metrics metrics("0.1.0", "abc", clock);
  metrics.PolicyLoaded({"configmap/a/b", "111111111111"}, "chart", false, false, clock.Now());
  Report report = SampleReport();
  report.dry_run = true;
  report.effective_policy.suspend = true;
  metrics.RecordRun(report, Trigger::kInterval, 0.5);
  EXPECT_THAT(metrics.Render(), HasSubstr("imagesweep_dry_run 1"));
  EXPECT_THAT(metrics.Render(), HasSubstr("imagesweep_suspended 1"));
}

TEST(Metrics, ADryRunFreesNothing) {
  FakeClock clock;
  Metrics metrics("0.1.0", "abc", clock);
  Report report = SampleReport();
  report.dry_run = true;
  report.outcomes = {{ImagePos(1), OutcomeKind::kWouldRemove, {}}};
  metrics.RecordRun(report, Trigger::kInterval, 0.5);
  const std::string text = metrics.Render();
  EXPECT_THAT(text, HasSubstr("imagesweep_reclaimed_bytes_total{kind=\"predicted\"} 0"));
  EXPECT_THAT(text, HasSubstr("imagesweep_reclaimed_bytes_total{kind=\"measured\"} 0"));
}

// One image of each verdict: none is left out, and none counts twice.
TEST(Metrics, ImagesOverTheStatesAreAllImages) {
  FakeClock clock;
  Metrics metrics("0.1.0", "abc", clock);
  Report report;
  ObservationBuilder seen;
  std::uint64_t bytes = 0;
  for (std::uint32_t at = 0; at <= static_cast<std::uint32_t>(Code::kLimit); ++at) {
    const std::string name = "image" + std::to_string(at);
    seen.Add(Img(name, {name + ":1"}, 1000 + at));
    bytes += 1000 + at;
    report.plan.decisions.emplace_back();
    report.plan.decisions.back().image = ImagePos(at);
    report.plan.decisions.back().code = static_cast<Code>(at);
  }
  report.observation = seen.seen();
  metrics.RecordRun(report, Trigger::kInterval, 0.5);
  std::istringstream lines(metrics.Render());
  double counted = 0;
  double sizes = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto value = [&] { return std::stod(line.substr(line.rfind(' '))); };
    if (line.starts_with("imagesweep_images{")) counted += value();
    if (line.starts_with("imagesweep_image_bytes{")) sizes += value();
  }
  EXPECT_EQ(counted, static_cast<double>(report.observation.images.size()));
  EXPECT_EQ(sizes, static_cast<double>(bytes));
}

TEST(Metrics, CountsImagesPulledAgainOnceAndOversizedImages) {
  FakeClock clock;
  Metrics metrics("0.1.0", "abc", clock);
  Report report = SampleReport();
  report.pulled_again = {{ImagePos(0), 1, "Age", true}, {ImagePos(2), 3, "Age", false}};
  report.oversized = {{ImagePos(0), 10}, {ImagePos(2), 10}};
  metrics.RecordRun(report, Trigger::kInterval, 0.5);
  EXPECT_THAT(metrics.Render(), HasSubstr("imagesweep_removed_then_pulled_total 1"));
  EXPECT_THAT(metrics.Render(), HasSubstr("imagesweep_size_limits_exceeded 2"));
  report.oversized.clear();
  metrics.RecordRun(report, Trigger::kInterval, 0.5);
  EXPECT_THAT(metrics.Render(), HasSubstr("imagesweep_size_limits_exceeded 0"));
}

TEST(Metrics, TellsOfTheProcessOrIsSilentOfIt) {
  FakeClock clock;
  const ProcessUsage usage{1.5, 1'700'000'000.25, 3 << 20, 9 << 20, 12, 1024};
  const std::string text = Metrics("0.1.0", "abc", clock, [&] { return usage; }).Render();
  for (const char* line : {
           "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 1.5\n",
           "\nprocess_start_time_seconds 1700000000.25\n",
           "\nprocess_resident_memory_bytes 3145728\n",
           "\nprocess_virtual_memory_bytes 9437184\n",
           "\nprocess_open_fds 12\n",
           "\nprocess_max_fds 1024\n",
       })
    EXPECT_THAT(text, HasSubstr(line));
  const auto fails = [] { return Error{ErrorKind::kUnavailable, "no /proc"}; };
  EXPECT_THAT(Metrics("0.1.0", "abc", clock, fails).Render(), Not(HasSubstr("process_")));
}

TEST(Metrics, ARefusedRunCountsItsSourceAndLetsTheEvidenceAge) {
  FakeClock clock;
  Metrics metrics("0.1.0", "abc", clock);
  clock.Advance(Millis(42'000));
  Report report;
  report.refused = Refusal{"pods", {ErrorKind::kDenied, "403"}};
  metrics.RecordRun(report, Trigger::kInterval, 0.1);
  const std::string text = metrics.Render();
  EXPECT_THAT(text, HasSubstr("imagesweep_refused_runs_total{source=\"pods\"} 1"));
  EXPECT_THAT(text, HasSubstr("imagesweep_evidence_age_seconds{source=\"pods\"} 42"));
  EXPECT_THAT(text, HasSubstr("imagesweep_runs_total{result=\"error\",trigger=\"interval\"} 1"));
}

TEST(Metrics, WorkloadsAgeFromTheFirstRunThatAsksForThemAndNoLonger) {
  FakeClock clock;
  Metrics metrics("0.1.0", "abc", clock);
  const auto age = [&] {
    const std::string text = metrics.Render();
    const std::string series = "imagesweep_evidence_age_seconds{source=\"workloads\"} ";
    const auto at = text.find(series) + series.size();
    return text.substr(at, text.find('\n', at) - at);
  };
  Report report;
  report.effective_policy.keep.workloads.enabled = true;
  report.refused = Refusal{"workloads", {ErrorKind::kDenied, "403"}};
  metrics.RecordRun(report, Trigger::kInterval, 0.1);
  clock.Advance(Millis(42'000));
  metrics.RecordRun(report, Trigger::kInterval, 0.1);
  EXPECT_EQ(age(), "42");
  report.refused.reset();
  metrics.RecordRun(report, Trigger::kInterval, 0.1);
  clock.Advance(Millis(7'000));
  EXPECT_EQ(age(), "7");
  report.effective_policy.keep.workloads.enabled = false;
  metrics.RecordRun(report, Trigger::kInterval, 0.1);
  clock.Advance(Millis(7'000));
  EXPECT_EQ(age(), "0");
}

TEST(Metrics, ShowsOnePolicyAtATime) {
  FakeClock clock;
  Metrics metrics("0.1.0", "abc", clock);
  metrics.PolicyLoaded({"configmap/a/b", "111111111111"}, "chart", true, false, clock.Now());
  metrics.PolicyLoaded({"configmap/a/b", "222222222222"}, "override", false, false, clock.Now());
  const std::string text = metrics.Render();
  EXPECT_THAT(text,
              HasSubstr("imagesweep_policy_info{sha256=\"222222222222\",source=\"override\"} 1"));
  EXPECT_THAT(text, Not(HasSubstr("111111111111")));
  metrics.PolicyRejected();
  EXPECT_THAT(metrics.Render(), HasSubstr("imagesweep_config_last_reload_successful 0"));
}

TEST(Metrics, SaysForHowLongThePolicyIsNotRead) {
  FakeClock clock;
  Metrics metrics("0.1.0", "abc", clock);
  EXPECT_THAT(metrics.Render(), HasSubstr("imagesweep_config_unread_seconds 0\n"));
  metrics.SetPolicyUnread(Millis(125'000));
  EXPECT_THAT(metrics.Render(), HasSubstr("imagesweep_config_unread_seconds 125\n"));
  metrics.PolicyConfirmed();
  EXPECT_THAT(metrics.Render(), HasSubstr("imagesweep_config_last_reload_successful 1"));
}

}  // namespace
}  // namespace imagesweep
