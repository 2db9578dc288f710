#include "agent/gc/sweeper.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "agent/base/duration.h"
#include "agent/gc/interrupted_removals.h"
#include "agent/gc/observe/free_space_monitor.h"
#include "agent/gc/observe/layer_figures.h"
#include "agent/gc/observe/preconditions.h"
#include "agent/gc/plan/defer.h"
#include "agent/gc/plan/free_space_target.h"
#include "agent/gc/plan/kubelet.h"
#include "agent/gc/plan/planner.h"
#include "agent/gc/plan/policy_warnings.h"
#include "agent/gc/plan/reclaim_estimator.h"
#include "agent/gc/plan/run_limits.h"
#include "agent/gc/removal_journal.h"
#include "agent/gc/remove/archiving_remover.h"
#include "agent/gc/remove/forwarding_remover.h"
#include "agent/gc/remove/verifying_remover.h"
#include "agent/gc/run_id.h"
#include "agent/policy/render.h"

namespace imagesweep {
namespace {

constexpr int kMaxListsAfterRemoval = 20;
constexpr Millis kListAgainAfter{100};

// Fails every copy, so that an image that the policy wants archived stays if no archiver exists.
struct NoArchiver final : ImageArchiver {
  Result<std::string> Archive(const Image&, const std::stop_token&) override {
    return Error{ErrorKind::kInvalid,
                 "keep.archive.path is set, but this runtime does not support archives"};
  }
};

Expectations Expect(std::optional<OwnPod> own_pod) {
  Expectations expected;
  expected.own_pod = std::move(own_pod);
  return expected;
}

std::uint64_t ReclaimableBytes(const Report& report) {
  std::uint64_t bytes = 0;
  for (const Decision& decision : report.plan.decisions)
    if (IsReclaimable(decision)) bytes += report.observation.images[decision.image].size_bytes;
  return bytes;
}

std::uint64_t TotalBytes(const std::vector<Image>& images) {
  std::uint64_t bytes = 0;
  for (const Image& image : images) bytes += image.size_bytes;
  return bytes;
}

// Counts the plan as an evaluation: for each image, the consecutive plans that remove it.
std::vector<int> CountEvaluations(const Report& report, AgeStore& age_store) {
  const auto& images = report.observation.images;
  std::vector<bool> to_go(images.size());
  for (const auto at : report.plan.removals) to_go[at] = true;
  return age_store.CountCandidates(images, to_go);
}

// The warning of a run that freed too little space; otherwise empty.  The output of `ensure-space`
// reports its own goal.
std::string Shortfall(const Report& report, const std::optional<DiskUsage>& before,
                      const std::optional<DiskUsage>& after) {
  const Thresholds& thresholds = report.effective_policy.disk;
  if (report.plan.free_space_target > 0 || thresholds.high_percent == 0 || !before || !after)
    return {};
  if (before->used_percent() < thresholds.high_percent ||
      after->used_percent() <= thresholds.low_percent)
    return {};
  return "could not free enough space: disk usage went from " +
         std::to_string(before->used_percent()) + "% to " + std::to_string(after->used_percent()) +
         "%, but lowThresholdPercent is " + std::to_string(thresholds.low_percent) +
         "; all other images are needed, kept, too young, or over a limit";
}

}  // namespace

Sweeper::Sweeper(NodeDependencies parts, std::string node, std::optional<OwnPod> own_pod,
                 RecentReferences recent)
    : parts_(parts),
      node_(std::move(node)),
      recent_(std::move(recent)),
      gate_(Expect(std::move(own_pod))),
      executor_(parts.runtime, parts.pods, parts.workloads, parts.filesystem, gate_.expected(),
                parts.clock) {}

Report Sweeper::Begin(const ActivePolicy& active) {
  Report report;
  report.node = node_;
  report.started = parts_.clock.Now();
  report.run = NewRunId(report.started);
  report.finished = report.started;
  report.policy = active.source;
  report.effective_policy = active.policy;
  report.evidence.without_kubernetes = parts_.pods == nullptr;
  return report;
}

void Sweeper::Decide(const View& view, const SweepOptions& options, Report& report,
                     const std::stop_token& stop) {
  const Observation& seen = report.observation;
  const PlanContext context(report.effective_policy, seen, view.graph.get());
  report.plan = options.free_space_target > 0 ? PlanForFreeSpace(context, options.free_space_target)
                                              : PlanWithDiskPressure(context);
  const std::vector<int> evaluations =
      options.running_for ? CountEvaluations(report, parts_.age_store) : std::vector<int>();
  Defer(context, evaluations, report.plan);
  PredictInOrder(context, report.plan);
  if (view.graph) report.layers = FiguresOf(*view.graph, report.plan);
  report.policy_text = PolicyYaml(report.effective_policy);
  report.oversized = FindOversized(report.effective_policy, seen);
  KubeletThresholds kubelet;
  if (parts_.kubelet) {
    if (auto asked = parts_.kubelet(stop))
      kubelet = *asked;
    else
      report.warnings.push_back("cannot read the thresholds of the kubelet: " + asked.error().what);
  }
  if (std::string warning = WindowOverride(context, report.plan); !warning.empty())
    report.warnings.push_back(std::move(warning));
  for (std::string& warning : KubeletWarnings(report.effective_policy, kubelet, seen, report.plan))
    report.warnings.push_back(std::move(warning));
  for (std::string& warning : PatternWarnings(report.effective_policy, seen))
    report.warnings.push_back(std::move(warning));
  report.before =
      NodeTotals{seen.images.size(), TotalBytes(seen.images), ReclaimableBytes(report), seen.disk};
}

Report Sweeper::Evaluate(const ActivePolicy& active, const std::stop_token& stop,
                         std::shared_ptr<const layers::LayerGraph>* layers) {
  Report report = Begin(active);
  View view;
  report.refused = Observe(view, {}, report, stop);
  if (!report.refused) Decide(view, {}, report, stop);
  if (!report.refused) WarnOfPreconditions(view, report);
  if (layers != nullptr) *layers = view.graph;
  report.finished = parts_.clock.Now();
  return report;
}

Report Sweeper::Sweep(const ActivePolicy& active, const SweepOptions& options,
                      const std::stop_token& stop) {
  Report report;
  std::optional<View> seen;
  const auto observe = [&] {
    report = Begin(active);
    report.refused = Observe(seen.emplace(), options, report, stop);
    if (options.refused) report.refused = options.refused;
    report.dry_run = options.dry_run.value_or(report.effective_policy.dry_run);
  };
  observe();
  const Policy& policy = report.effective_policy;
  if (!report.refused && !report.dry_run && parts_.history != nullptr &&
      ReasonNotToBegin(policy, options.running_for).empty()) {
    const std::size_t before = report.warnings.size();
    const bool names_came_back = RestoreInterrupted(
        *parts_.history, parts_.runtime, parts_.name_restorer, parts_.clock, report, stop);
    const std::vector<std::string> warnings(
        report.warnings.begin() + static_cast<std::ptrdiff_t>(before), report.warnings.end());
    if (names_came_back) {
      observe();
      std::ranges::copy(warnings, std::back_inserter(report.warnings));
    }
  }
  const View& view = *seen;
  if (policy.dry_run && !report.dry_run)
    report.warnings.emplace_back("the command line overrides dryRun: true of the policy");
  if (!report.refused && !report.dry_run)
    report.refused = CheckWithoutKubernetes(view.evidence, policy);
  if (!report.refused) {
    Decide(view, options, report, stop);
    if (report.dry_run) WarnOfPreconditions(view, report);
    report.stopped_early = ReasonNotToBegin(policy, options.running_for);
  }
  if (!report.refused && report.stopped_early.empty()) Execute(view, options, report, stop);
  report.finished = parts_.clock.Now();
  if (parts_.history != nullptr) KeepRun(report, *parts_.history);
  told_.DropTold(report.warnings, parts_.clock.Steady());
  return report;
}

// An evaluation must not promise removals that a run would refuse.
void Sweeper::WarnOfPreconditions(const View& view, Report& report) {
  if (const auto why = CheckWithoutKubernetes(view.evidence, report.effective_policy))
    report.warnings.push_back("a run that removes images would abort: " + why->error.what);
}

void Sweeper::Execute(const View& view, const SweepOptions& options, Report& report,
                      const std::stop_token& stop) {
  DryRunRemover dry;
  const bool in_batches = view.graph != nullptr && parts_.batch_remover != nullptr;
  ImageRemover& plain = in_batches ? *parts_.batch_remover : parts_.remover;
  const Archive& archive = report.effective_policy.keep.archive;
  NoArchiver none;
  std::unique_ptr<ImageArchiver> made;
  if (!archive.path.empty() && parts_.archiver) made = parts_.archiver(archive);
  if (made) made->OnProgress(options.hooks.on_progress);
  ArchivingRemover archiving(plain, made ? *made : none);
  ImageRemover& real = archive.path.empty() ? plain : archiving;
  ImageRemover& unverified = report.dry_run ? static_cast<ImageRemover&>(dry) : real;
  // Outside the archiver: images that stay are not copied.
  VerifyingRemover verifying(unverified, parts_.verifier);
  const bool verifies = report.effective_policy.keep.verify_registry != VerifyRegistry::kNever;
  ImageRemover& remover = verifies ? verifying : unverified;
  Executor::Hooks hooks = options.hooks;
  FreeSpaceMonitor free_space_target(report, parts_.filesystem, parts_.clock);
  const auto& windows = report.effective_policy.windows;
  const bool in_window = AnyContains(windows, report.observation.at);
  hooks.reason_to_end = [&]() -> std::string {
    if (options.hooks.reason_to_end)
      if (std::string why = options.hooks.reason_to_end(); !why.empty()) return why;
    if (report.plan.free_space_target > 0) return free_space_target.ReasonToEnd(stop);
    const bool closed = in_window && !AnyContains(windows, parts_.clock.Now());
    return closed ? "the window closed" : "";
  };
  RemovalJournal journal(report.dry_run ? nullptr : parts_.history, report);
  hooks.before_batch = [&](const auto& batch) { journal.BeginRemoval(batch); };
  hooks.after_batch = [&](const auto& outcomes) { journal.Commit(outcomes); };
  hooks.on_outcome = [&](const Outcome& outcome, const Image& image) {
    free_space_target.Note(outcome);
    if (options.hooks.on_outcome) options.hooks.on_outcome(outcome, image);
  };
  if (hooks.on_begin) hooks.on_begin(report.plan, report.observation);
  Execution execution =
      executor_.Run(report.plan, report.effective_policy, view.evidence, *view.index,
                    report.plan.free_space_target > 0 ? std::nullopt : report.observation.disk,
                    remover, stop, hooks);
  report.outcomes = std::move(execution.outcomes);
  report.refused = std::move(execution.refused);
  report.stopped_early = std::move(execution.stopped_early);
  report.recheck_window_seconds = std::move(execution.recheck_window_seconds);
  if (!report.dry_run) report.removal_seconds = execution.seconds;
  VerifyRun(view, journal, report, stop);
}

// containerd's CRI plugin learns about a removal from an event, shortly after it.
Result<std::vector<Image>> Sweeper::WaitUntilUnlisted(const Report& report,
                                                      const std::stop_token& stop) {
  std::unordered_set<std::string_view> gone;
  for (const Outcome& outcome : report.outcomes)
    if (outcome.kind == OutcomeKind::kRemoved)
      gone.insert(report.observation.images[outcome.image].id.text());
  for (int looks = 1;; ++looks) {
    auto images = parts_.runtime.ListImages(stop);
    if (!images) return images;
    const bool lists_one = std::ranges::any_of(
        *images, [&](const Image& image) { return gone.contains(image.id.text()); });
    if (!lists_one || looks == kMaxListsAfterRemoval) return images;
    parts_.clock.Sleep(kListAgainAfter, stop);
  }
}

// Verifies that removed images are absent and referenced images are present.
void Sweeper::VerifyRun(const View& view, RemovalJournal& journal, Report& report,
                        const std::stop_token& stop) {
  if (report.plan.removals.empty() && !report.refused && !stop.stop_requested()) {
    const auto& disk = report.observation.disk;
    if (auto shortfall = Shortfall(report, disk, disk); !report.dry_run && !shortfall.empty())
      report.warnings.push_back(std::move(shortfall));
  }
  if (report.outcomes.empty() || stop.stop_requested()) return;
  const auto images = WaitUntilUnlisted(report, stop);
  if (!images) {
    report.warnings.push_back("cannot list images after the run: " + images.error().what);
    return;
  }
  executor_.Verify(view.evidence, *images, report.outcomes);
  journal.Reconcile(*images);
  std::unordered_set<std::string_view> listed;
  for (const Image& image : *images) listed.insert(image.id.text());
  std::uint64_t reclaimable = 0;
  for (const Decision& decision : report.plan.decisions) {
    const Image& image = report.observation.images[decision.image];
    if (decision.code == Code::kInUse && !listed.contains(image.id.text()))
      report.missing_after.push_back(image.display_name());
    if (IsReclaimable(decision) && listed.contains(image.id.text()))
      reclaimable += image.size_bytes;
  }
  std::ranges::sort(report.missing_after);
  report.after =
      NodeTotals{images->size(), TotalBytes(*images), reclaimable, DiskAfter(report, stop)};
  if (view.graph && report.layers) Compare(*view.graph, report);
  if (report.Count(OutcomeKind::kWouldRemove) > 0) report.predicted_after = PredictAfter(report);
  if (parts_.pods != nullptr) {
    if (const auto pods = parts_.pods->Read(Millis::zero(), stop))
      report.evidence.ready_pods_after = pods->ready;
    else
      report.warnings.push_back("cannot list pods after the run: " + pods.error().what);
  }
  if (const auto shortfall = Shortfall(report, report.before->disk, report.after->disk);
      !report.dry_run && !shortfall.empty())
    report.warnings.push_back(shortfall);
}

}  // namespace imagesweep
