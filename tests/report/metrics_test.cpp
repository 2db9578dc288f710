#include "agent/report/metrics.h"

#include <gmock/gmock.h>

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
           "imagesweep_recheck_window_seconds_count 1",
       })
    EXPECT_THAT(text, HasSubstr(line));
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

}  // namespace
}  // namespace imagesweep
