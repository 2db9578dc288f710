#pragma once

#include "agent/model/report.h"
#include "tests/support/observation.h"

namespace imagesweep {

// A finished run over three images: one in use, one removed, and one left.
inline Report SampleReport() {
  Report report;
  report.run = "0123456789abcdef";
  report.node = "node1";
  report.dry_run = false;
  report.runtime = {"containerd", "1.6.20", "unix:///run/c.sock", 7};
  report.policy = {"file/policy.yaml", "9f2c41aa03be"};
  report.evidence = {false, 2, "48123", 0.4, 3, 2, 2, 2};
  ObservationBuilder seen;
  seen.Add(Img("u", {"app:2"}, 1000))
      .Add(Img("r", {"app:1"}, 2000))
      .Add(Img("i", {"idle:1"}, 4000));
  seen.Use("app:2");
  seen.Disk(10'000, 1'000);
  report.observation = seen.seen();
  report.plan.decisions.resize(3);
  report.plan.decisions[ImagePos(0)] = {.image = ImagePos(0),
                                        .code = Code::kInUse,
                                        .reason = "used by Pod shop/api/web",
                                        .used_by = {0},
                                        .rule = {},
                                        .superseded_by = {}};
  report.plan.decisions[ImagePos(1)] = {.image = ImagePos(1),
                                        .verdict = Verdict::kRemove,
                                        .code = Code::kAge,
                                        .reason = "too old",
                                        .used_by = {},
                                        .rule = {},
                                        .superseded_by = {}};
  report.plan.decisions[ImagePos(2)] = {
      .image = ImagePos(2), .reason = "idle", .used_by = {}, .rule = {}, .superseded_by = {}};
  report.plan.removals = ImagesAt(1);
  report.outcomes = {{ImagePos(1), OutcomeKind::kRemoved, {}}};
  report.referenced_images = 1;
  report.before = NodeTotals{3, 7000, 6000, seen.seen().disk};
  report.after = NodeTotals{2, 5000, 4000, DiskUsage{"/", 10'000, 2'500, 1000, 600}};
  report.recheck_window_seconds = {0.002};
  report.removal_seconds = 0.3;
  return report;
}

// The same, but `workloads` workloads need the image that would be left.
inline Report SampleReportWithWorkloads(int workloads) {
  Report report = SampleReport();
  report.effective_policy.keep.workloads.enabled = true;
  Decision& decision = report.plan.decisions[ImagePos(2)];
  decision.code = Code::kWorkload;
  decision.reason = "needed by Deployment shop/api-0, revision 7 (2 back)";
  for (int w = 0; w < workloads; ++w) {
    decision.needed_by.push_back(static_cast<std::uint32_t>(w));
    report.observation.workloads.push_back({"idle:1", w == 0 ? "Deployment" : "StatefulSet", "shop",
                                            "api-" + std::to_string(w), "web", w == 0 ? 7 : 0,
                                            w == 0 ? 2 : 0, false});
  }
  return report;
}

}  // namespace imagesweep
