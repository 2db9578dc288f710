#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "agent/cmd/commands.h"
#include "agent/cmd/connect.h"
#include "agent/cmd/node_session.h"
#include "agent/cmd/progress.h"
#include "agent/cmd/render.h"
#include "agent/daemon/policy_store.h"
#include "agent/daemon/registry_access.h"
#include "agent/daemon/restore.h"
#include "agent/daemon/restore_selector.h"
#include "agent/gc/observe/image_filesystem.h"
#include "agent/report/documents/restore.h"
#include "agent/report/render/printable.h"
#include "agent/report/render/yaml.h"
#include "agent/runtime/containerd/archive.h"
#include "agent/state/age_store.h"

// restore: restores images that runs removed.  Needs the state directory and the runtime, but not
// Kubernetes.

namespace imagesweep {
namespace {

using RestoreOutcome = RestoreReport::Outcome;

constexpr std::size_t kBarWidth = 80;

// Source: KEP-2535, Ensure Secret Pulled Images; on by default from Kubernetes 1.35 on.
constexpr const char* kPreloaded =
    "Kubernetes 1.35 and later treat an image that the kubelet did not pull as preloaded: pods of "
    "every namespace can then use it without its pull secret. To restore a private image under the "
    "kubelet's checks, start a short-lived pod with the pull secret on this node instead";

RestoreSelector WishOf(const Options& options) {
  if (!options.image.empty()) return {RestoreSelector::Of::kImage, options.image};
  if (!options.run.empty()) return {RestoreSelector::Of::kRun, options.run};
  return {};
}

// The directory of the archives: --archive-dir, otherwise by the policy file, otherwise below the
// state directory.
Result<std::string> ArchivesOf(const Options& options) {
  if (!options.archive_dir.empty()) return options.archive_dir;
  if (!options.policy_file.empty()) {
    const auto active = LoadPolicyFile(options.policy_file);
    if (!active) return active.error();
    if (!active->policy.keep.archive.path.empty()) return active->policy.keep.archive.path;
  }
  return (std::filesystem::path(options.state_dir) / "archive").string();
}

// Prints the progress to stderr.
class RestoreProgress {
 public:
  RestoreProgress(const RestoreReport& report, bool bar) : bar_(bar) {
    for (const auto& image : report.images) {
      if (image.outcome != RestoreOutcome::kWouldRestore) continue;
      ++all_;
      all_bytes_ += image.size_bytes;
    }
  }
  ~RestoreProgress() {
    if (bar_ && done_ > 0) std::fputc('\n', stderr);
  }
  RestoreProgress(const RestoreProgress&) = delete;
  RestoreProgress& operator=(const RestoreProgress&) = delete;

  void Show(const RestoreReport::Image& image) {
    ++done_;
    if (image.outcome == RestoreOutcome::kRestored) done_bytes_ += image.size_bytes;
    const std::string name = ShownName(image.display_name());
    if (bar_)
      std::fprintf(stderr, "\r\x1b[2K%s",
                   ProgressBar(done_, all_, done_bytes_, all_bytes_, name, kBarWidth).c_str());
    else
      std::fprintf(stderr, "%s %s\n", std::string(ToString(image.outcome)).c_str(),
                   Printable(name).c_str());
    std::fflush(stderr);
  }

 private:
  const bool bar_;
  std::size_t all_ = 0, done_ = 0;
  std::uint64_t all_bytes_ = 0, done_bytes_ = 0;
};

// A restored image must be as young as one that was just pulled, also if no run observed the node
// in between.  Otherwise the next run would remove it again.
void ForgetAges(const Options& options, const Clock& clock, RestoreReport& report) {
  std::vector<ImageId> ids;
  for (const auto& image : report.images)
    if (image.outcome == RestoreOutcome::kWouldRestore) ids.emplace_back(image.id);
  if (ids.empty()) return;
  const auto age_store = AgeStore::Open(options.state_dir, clock, AgeStoreOptionsOf(options));
  age_store->Forget(ids);
  if (age_store->durable()) return;
  for (const std::string& warning : age_store->warnings()) report.warnings.push_back(warning);
  report.warnings.emplace_back("the next run may treat restored images as old and remove them");
}

std::string Render(const Options& options, const RestoreReport& report) {
  switch (options.output) {
    case Output::kJson:
      return RestoreJson(report) + "\n";
    case Output::kYaml:
      return JsonToYaml(RestoreJson(report)) + "\n";
    case Output::kName: {
      std::string names;
      for (const auto& image : report.images)
        if (image.outcome == RestoreOutcome::kRestored ||
            image.outcome == RestoreOutcome::kWouldRestore)
          names += Printable(image.display_name()) + "\n";
      return names;
    }
    default:
      return RestoreText(report, TextOptionsOf(options));
  }
}

Result<RestoreReport> Run(const Options& options, const std::stop_token& stop) {
  const RealClock clock;
  const auto removals = ReadRemovals(options, clock);
  if (!removals) return removals.error();
  const auto chosen = ChooseRemovals(*removals, WishOf(options));
  if (!chosen) return chosen.error();
  const auto archives = ArchivesOf(options);
  if (!archives) return archives.error();
  auto secret = ReadPullSecret(options.pull_secret);
  if (!secret) return secret.error();
  const auto archive_of = [&](const std::string& id) {
    const auto path = containerd::ArchiveFile(*archives, id);
    std::error_code unreadable;  // reported when the file is opened
    return std::filesystem::exists(path, unreadable) || unreadable ? path.string() : std::string();
  };
  RestoreReport report = PlanRestore(*chosen, archive_of, *archives);
  report.dry_run = options.dry_run.value_or(true);

  const auto runtime = OpenNodeRuntime(RuntimeOptionsOf(options), clock, stop);
  if (!runtime) return runtime.error();
  const auto backend = (*runtime)->OpenRestore(*std::move(secret), stop);
  if (!backend) return backend.error();
  if (auto compared = CompareWithNode(report, **backend, stop); !compared) return compared.error();
  if (!options.pull_secret.empty()) report.warnings.emplace_back(kPreloaded);
  if (report.dry_run) return report;
  std::fputs(CannotComeBackText(report).c_str(), stderr);
  ForgetAges(options, clock, report);
  RestoreProgress progress(report, isatty(STDERR_FILENO) != 0);
  RestoreOptions how;
  how.parallel = options.parallel;
  StatvfsFilesystem filesystem;
  auto mounts = (*runtime)->reader().ImageFilesystems(stop);
  if (!mounts) return mounts.error().Wrap("cannot determine the available space");
  how.space = {&filesystem, *std::move(mounts), options.min_available};
  if (!options.quiet)
    how.on_done = [&](const RestoreReport::Image& image) { progress.Show(image); };
  Restore(report, **backend, clock, how, stop);
  return report;
}

}  // namespace

int RunRestore(const Options& options, const std::stop_token& stop) {
  const auto report = Run(options, stop);
  if (!report) {
    PrintError(report.error().what);
    return CodeFor(report.error());
  }
  if (!PrintResult(Render(options, *report))) return kExitFailed;
  return report->Count(RestoreOutcome::kFailed) + report->Count(RestoreOutcome::kCannot) > 0
             ? kExitFailed
             : kExitDone;
}

}  // namespace imagesweep
