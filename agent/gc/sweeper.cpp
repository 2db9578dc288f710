#include "agent/gc/sweeper.h"

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>

#include "agent/base/duration.h"
#include "agent/gc/free_space_monitor.h"
#include "agent/gc/interrupted_removals.h"
#include "agent/gc/observe/image_builds.h"
#include "agent/gc/observe/layer_figures.h"
#include "agent/gc/observe/preconditions.h"
#include "agent/gc/plan/defer.h"
#include "agent/gc/plan/kubelet.h"
#include "agent/gc/plan/plan_context.h"
#include "agent/gc/plan/planner.h"
#include "agent/gc/plan/policy_warnings.h"
#include "agent/gc/plan/run_limits.h"
#include "agent/gc/removal_journal.h"
#include "agent/gc/remove/archiving_remover.h"
#include "agent/gc/remove/forwarding_remover.h"
#include "agent/gc/remove/verifying_remover.h"
#include "agent/gc/run_id.h"
#include "agent/policy/render.h"

namespace imagesweep {

struct Sweeper::Run {
  std::string id;
  SystemTime started;
  bool dry_run = true;
  std::unique_ptr<const NodeState> state;
  std::vector<std::string> warnings = {};  // of the run itself, besides those of the state
};

struct Sweeper::PlanResult {
  std::optional<Refusal> refused;  // then there is no plan
  std::string stopped_early;       // why no removal is tried
  Plan plan;
  std::string policy_text;
  std::vector<Oversized> oversized;
  std::vector<ImageBuild> builds;
  std::optional<LayerFigures> layers;
  std::optional<NodeTotals> before;
  std::vector<std::string> warnings;
};

struct Sweeper::Verified {
  std::vector<Outcome> outcomes;
  std::optional<NodeTotals> after;
  std::vector<std::string> missing;  // referenced images that are not listed any more
  std::optional<std::size_t> ready_pods;
  std::vector<std::string> warnings;
};

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

std::uint64_t ReclaimableBytes(const Plan& plan, const ByImage<Image>& images) {
  std::uint64_t bytes = 0;
  for (const Decision& decision : plan.decisions)
    if (IsReclaimable(decision)) bytes += images[decision.image].size_bytes;
  return bytes;
}

std::uint64_t TotalBytes(const std::vector<Image>& images) {
  std::uint64_t bytes = 0;
  for (const Image& image : images) bytes += image.size_bytes;
  return bytes;
}

// Counts the plan as an evaluation: for each image, the consecutive plans that remove it.
ByImage<int> CountEvaluations(const Plan& plan, const ByImage<Image>& images, AgeStore& age_store) {
  ByImage<bool> to_go(images.size());
  for (const auto at : plan.removals) to_go[at] = true;
  return ByImage<int>(age_store.CountCandidates(images, to_go));
}

// The warning of a run that freed too little space; otherwise empty.  The output of `ensure-space`
// reports its own goal.
std::string Shortfall(const Policy& policy, const Plan& plan,
                      const std::optional<DiskUsage>& before,
                      const std::optional<DiskUsage>& after) {
  const Thresholds& thresholds = policy.disk;
  if (plan.free_space_target > 0 || thresholds.high_percent == 0 || !before || !after) return {};
  if (before->used_percent() < thresholds.high_percent ||
      after->used_percent() <= thresholds.low_percent)
    return {};
  return "could not free enough space: disk usage went from " +
         std::to_string(before->used_percent()) + "% to " + std::to_string(after->used_percent()) +
         "%, but lowThresholdPercent is " + std::to_string(thresholds.low_percent) +
         "; all other images are needed, kept, too young, or over a limit";
}

void Append(std::vector<std::string> more, std::vector<std::string>& warnings) {
  std::ranges::move(more, std::back_inserter(warnings));
}

Observer::Options ObserverOptions(const SweepOptions& options, const Executor& executor) {
  return {
      .by_agent = options.running_for.has_value(),
      .free_space_target = options.free_space_target,
      .why_unavailable = [&executor](const ImageId& id) { return executor.WhyUnavailable(id); }};
}

}  // namespace

Sweeper::Sweeper(NodeDependencies node, std::string node_name, std::optional<OwnPod> own_pod,
                 RecentReferences recent)
    : node_(std::move(node)),
      node_name_(std::move(node_name)),
      observer_(node_, std::move(own_pod), std::move(recent)),
      executor_(node_.runtime, node_.pods, node_.workloads, node_.filesystem, observer_.expected(),
                node_.clock) {}

Report Sweeper::Evaluate(const ActivePolicy& active, const std::stop_token& stop,
                         std::shared_ptr<const layers::LayerGraph>* layers) {
  const Run run = Observe(active, {.dry_run = true}, stop);
  PlanResult decided;
  decided.refused = run.state->refused;
  if (!decided.refused) decided = Decide(run, {}, stop);
  if (layers != nullptr) *layers = run.state->graph;
  return Compose(run, active, std::move(decided), {}, {});
}

Report Sweeper::Sweep(const ActivePolicy& active, const SweepOptions& options,
                      const std::stop_token& stop) {
  const Run run = RestoreNamesAndObserve(Observe(active, options, stop), active, options, stop);
  const NodeState& state = *run.state;
  if (options.on_labels && !state.refused && state.evidence.pods)
    options.on_labels(state.evidence.pods->node_labels);
  PlanResult decided;
  decided.refused = CheckPreconditions(run, options);
  if (!decided.refused) {
    decided = Decide(run, options, stop);
    decided.stopped_early = ReasonNotToBegin(run.state->policy, options.running_for);
  }
  RemovalJournal journal(run.dry_run ? nullptr : node_.history, run.id, run.started,
                         run.state->seen.images, decided.plan.decisions);
  Execution done;
  Verified verified;
  if (!decided.refused && decided.stopped_early.empty()) {
    done = Remove(run, decided.plan, options, journal, stop);
    verified = Verify(run, decided, done, journal, stop);
  }
  Report report = Compose(run, active, std::move(decided), std::move(done), std::move(verified));
  if (node_.history != nullptr) RecordRun(report, journal.problems(), *node_.history);
  reported_.DropReported(report.warnings, node_.clock.Steady());
  return report;
}

Sweeper::Run Sweeper::Observe(const ActivePolicy& active, const SweepOptions& options,
                              const std::stop_token& stop) {
  const SystemTime now = node_.clock.Now();
  Run run{
      .id = NewRunId(now),
      .started = now,
      .state = observer_.Observe(active.policy, now, ObserverOptions(options, executor_), stop)};
  run.dry_run = options.dry_run.value_or(run.state->policy.dry_run);
  return run;
}

// Names that an interrupted removal deleted come back before the plan, which would otherwise take
// the image for one that has fewer names.
Sweeper::Run Sweeper::RestoreNamesAndObserve(Run run, const ActivePolicy& active,
                                             const SweepOptions& options,
                                             const std::stop_token& stop) {
  const NodeState& state = *run.state;
  if (options.refused || state.refused || run.dry_run || node_.history == nullptr ||
      !ReasonNotToBegin(state.policy, options.running_for).empty())
    return run;
  RestoredNames restored = RestoreInterrupted(*node_.history, node_.runtime, node_.name_restorer,
                                              node_.clock, run.id, stop);
  if (restored.any) run = Observe(active, options, stop);
  run.warnings = std::move(restored.warnings);
  return run;
}

std::optional<Refusal> Sweeper::CheckPreconditions(const Run& run,
                                                   const SweepOptions& options) const {
  if (options.refused) return options.refused;
  if (run.state->refused) return run.state->refused;
  if (run.dry_run) return std::nullopt;
  return CheckRemovalAllowed(run.state->evidence, run.state->policy);
}

Sweeper::PlanResult Sweeper::Decide(const Run& run, const SweepOptions& options,
                                    const std::stop_token& stop) {
  const NodeState& state = *run.state;
  const Policy& policy = state.policy;
  const Observation& seen = state.seen;
  PlanResult decided;
  const PlanContext context(policy, seen, state.graph.get());
  PlanOptions how{.free_space_target = options.free_space_target};
  if (options.running_for)
    how.count_evaluations = [&](const Plan& plan) {
      return CountEvaluations(plan, seen.images, node_.age_store);
    };
  decided.plan = MakePlan(context, how);
  if (state.graph) decided.layers = FiguresOf(*state.graph, decided.plan);
  decided.policy_text = PolicyYaml(policy);
  decided.oversized = FindOversized(policy, seen);
  if (node_.builds != nullptr) {
    if (auto builds = ReadBuilds(decided.plan, seen.images, *node_.builds, stop))
      decided.builds = *std::move(builds);
    else
      decided.warnings.push_back("cannot read how images were built: " + builds.error().what);
  }
  decided.before = NodeTotals{seen.images.size(), TotalBytes(seen.images),
                              ReclaimableBytes(decided.plan, seen.images), seen.disk};
  KubeletThresholds kubelet;
  if (node_.kubelet) {
    if (auto read = node_.kubelet(stop))
      kubelet = *read;
    else
      decided.warnings.push_back("cannot read the thresholds of the kubelet: " + read.error().what);
  }
  if (std::string warning = WindowOverride(context, decided.plan); !warning.empty())
    decided.warnings.push_back(std::move(warning));
  Append(KubeletWarnings(policy, kubelet, seen, decided.plan), decided.warnings);
  Append(PatternWarnings(policy, seen), decided.warnings);
  // An evaluation must not promise removals that a run would refuse.
  if (run.dry_run)
    if (const auto why = CheckRemovalAllowed(state.evidence, policy))
      decided.warnings.push_back("a run that removes images would abort: " + why->error.what);
  return decided;
}

Execution Sweeper::Remove(const Run& run, const Plan& plan, const SweepOptions& options,
                          RemovalJournal& journal, const std::stop_token& stop) {
  const NodeState& state = *run.state;
  const Policy& policy = state.policy;
  DryRunRemover dry;
  const bool in_batches = state.graph != nullptr && node_.batch_remover != nullptr &&
                          state.graph->metadata().records_of() == layers::RecordsOf::kCri;
  ImageRemover& plain = in_batches ? *node_.batch_remover : node_.remover;
  const Archive& archive = policy.keep.archive;
  NoArchiver none;
  std::unique_ptr<ImageArchiver> made;
  if (!archive.path.empty() && node_.archiver) made = node_.archiver(archive);
  if (made) made->OnProgress(options.hooks.on_progress);
  ArchivingRemover archiving(plain, made ? *made : none);
  ImageRemover& real = archive.path.empty() ? plain : archiving;
  ImageRemover& unverified = run.dry_run ? static_cast<ImageRemover&>(dry) : real;
  // Outside the archiver: images that stay are not copied.
  VerifyingRemover verifying(unverified, node_.verifier);
  const bool verifies = policy.keep.verify_registry != VerifyRegistry::kNever;
  ImageRemover& remover = verifies ? verifying : unverified;

  Executor::Hooks hooks = options.hooks;
  FreeSpaceMonitor monitor(plan, state.seen, run.dry_run, node_.filesystem, node_.clock);
  const bool in_window = AnyContains(policy.windows, state.seen.at);
  hooks.reason_to_end = [&]() -> std::string {
    if (options.hooks.reason_to_end)
      if (std::string why = options.hooks.reason_to_end(); !why.empty()) return why;
    if (plan.free_space_target > 0) return monitor.ReasonToEnd(stop);
    const bool closed = in_window && !AnyContains(policy.windows, node_.clock.Now());
    return closed ? "the window closed" : "";
  };
  hooks.before_batch = [&](const auto& batch) { journal.BeginRemoval(batch); };
  hooks.after_batch = [&](const auto& outcomes) { journal.Commit(outcomes); };
  hooks.on_outcome = [&](const Outcome& outcome, const Image& image) {
    monitor.Note(outcome);
    if (options.hooks.on_outcome) options.hooks.on_outcome(outcome, image);
  };
  if (hooks.on_begin) hooks.on_begin(plan, state.seen);
  return executor_.Run(plan, policy, state.evidence, *state.index,
                       plan.free_space_target > 0 ? std::nullopt : state.seen.disk, remover, stop,
                       hooks);
}

// containerd's CRI plugin learns about a removal from an event, shortly after it.
Result<std::vector<Image>> Sweeper::WaitUntilUnlisted(const Run& run, const Execution& done,
                                                      const std::stop_token& stop) {
  std::unordered_set<std::string_view> gone;
  for (const Outcome& outcome : done.outcomes)
    if (outcome.kind == OutcomeKind::kRemoved)
      gone.insert(run.state->seen.images[outcome.image].id.text());
  for (int lists = 1;; ++lists) {
    auto images = node_.runtime.ListImages(stop);
    if (!images) return images;
    const bool lists_one = std::ranges::any_of(
        *images, [&](const Image& image) { return gone.contains(image.id.text()); });
    if (!lists_one || lists == kMaxListsAfterRemoval) return images;
    node_.clock.Sleep(kListAgainAfter, stop);
  }
}

// Verifies that removed images are absent and referenced images are present.
Sweeper::Verified Sweeper::Verify(const Run& run, const PlanResult& decided, const Execution& done,
                                  RemovalJournal& journal, const std::stop_token& stop) {
  const NodeState& state = *run.state;
  const Plan& plan = decided.plan;
  Verified verified;
  verified.outcomes = done.outcomes;
  const auto warn_of_shortfall = [&](const std::optional<DiskUsage>& after) {
    std::string shortfall = Shortfall(state.policy, plan, state.seen.disk, after);
    if (!run.dry_run && !shortfall.empty()) verified.warnings.push_back(std::move(shortfall));
  };
  if (plan.removals.empty() && !done.refused && !stop.stop_requested())
    warn_of_shortfall(state.seen.disk);
  if (done.outcomes.empty() || stop.stop_requested()) return verified;
  const auto images = WaitUntilUnlisted(run, done, stop);
  if (!images) {
    verified.warnings.push_back("cannot list images after the run: " + images.error().what);
    return verified;
  }
  executor_.Verify(state.evidence, *images, verified.outcomes);
  journal.Reconcile(verified.outcomes, *images);
  std::unordered_set<std::string_view> listed;
  for (const Image& image : *images) listed.insert(image.id.text());
  std::uint64_t reclaimable = 0;
  for (const Decision& decision : plan.decisions) {
    const Image& image = state.seen.images[decision.image];
    if (decision.code == Code::kInUse && !listed.contains(image.id.text()))
      verified.missing.push_back(image.display_name());
    if (IsReclaimable(decision) && listed.contains(image.id.text()))
      reclaimable += image.size_bytes;
  }
  std::ranges::sort(verified.missing);
  const bool removed = std::ranges::any_of(verified.outcomes, [](const Outcome& outcome) {
    return outcome.kind == OutcomeKind::kRemoved;
  });
  verified.after =
      NodeTotals{images->size(), TotalBytes(*images), reclaimable,
                 observer_.DiskAfter(state, {.free_space_target = plan.free_space_target}, removed,
                                     verified.warnings, stop)};
  if (node_.pods != nullptr) {
    if (const auto pods = node_.pods->Read(Millis::zero(), stop))
      verified.ready_pods = pods->ready;
    else
      verified.warnings.push_back("cannot list pods after the run: " + pods.error().what);
  }
  warn_of_shortfall(verified.after->disk);
  return verified;
}

Report Sweeper::Compose(const Run& run, const ActivePolicy& active, PlanResult decided,
                        Execution done, Verified verified) const {
  const NodeState& state = *run.state;
  Report report;
  report.run = run.id;
  report.node = node_name_;
  report.started = run.started;
  report.finished = node_.clock.Now();
  report.dry_run = run.dry_run;
  report.refused = decided.refused ? std::move(decided.refused) : std::move(done.refused);
  if (state.index) report.runtime = state.evidence.runtime;  // all sources were read
  report.policy = active.source;
  report.policy_text = std::move(decided.policy_text);
  report.effective_policy = state.policy;
  report.matched_override = state.matched_override;
  if (state.evidence.pods) report.node_labels = state.evidence.pods->node_labels;
  report.evidence = state.summary;
  report.evidence.ready_pods_after = verified.ready_pods;
  report.observation = state.seen;
  report.plan = std::move(decided.plan);
  report.oversized = std::move(decided.oversized);
  report.builds = std::move(decided.builds);
  report.outcomes = std::move(verified.outcomes);
  report.stopped_early = decided.stopped_early.empty() ? std::move(done.stopped_early)
                                                       : std::move(decided.stopped_early);
  report.layers = std::move(decided.layers);
  report.before = std::move(decided.before);
  report.after = std::move(verified.after);
  report.referenced_images = state.referenced_images;
  report.missing_after = std::move(verified.missing);
  report.recheck_window_seconds = std::move(done.recheck_window_seconds);
  if (!report.dry_run) report.removal_seconds = done.seconds;
  report.warnings = state.warnings;
  Append(run.warnings, report.warnings);
  if (state.policy.dry_run && !report.dry_run)
    report.warnings.emplace_back("the command line overrides dryRun: true of the policy");
  Append(std::move(decided.warnings), report.warnings);
  Append(std::move(verified.warnings), report.warnings);
  if (report.after && state.graph && report.layers) Compare(*state.graph, report);
  if (report.after && report.Count(OutcomeKind::kWouldRemove) > 0)
    report.predicted_after = PredictAfter(report);
  return report;
}

}  // namespace imagesweep
