#include "agent/cli/command_line.h"

#include <cstdlib>
#include <CLI/CLI.hpp>

#include <map>
#include <memory>

#include "agent/base/duration.h"
#include "agent/base/quantity.h"
#include "agent/cli/commands.h"
#include "agent/cli/render.h"
#include "agent/cli/shared_flags.h"
#include "agent/cli/usage.h"
#include "agent/cli/version.h"

namespace imagesweep {
namespace {

const std::map<std::string, Profile> kProfiles{{"Conservative", Profile::kConservative},
                                               {"Balanced", Profile::kBalanced},
                                               {"Aggressive", Profile::kAggressive}};
const std::map<std::string, StatusPage> kStatusPages{
    {"loopback", StatusPage::kLoopback}, {"all", StatusPage::kAll}, {"off", StatusPage::kOff}};

constexpr const char* kDryUnlessTold =
    "Show what would go [true]; --dry-run=false removes, also when the policy has dryRun: true";

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// A size as Kubernetes or as people write it: 20Gi, 20GiB, 4096B.
Result<std::uint64_t> ReadSize(std::string text) {
  const bool bytes = text.size() > 1 && text.back() == 'B' && IsDigit(text[text.size() - 2]);
  if (text.ends_with("iB") || bytes) text.pop_back();
  return ParseQuantity(text);
}

CLI::App* AddEnsureSpace(CLI::App& app, Options& options) {
  auto* command = app.add_subcommand(
      "ensure-space",
      "Remove what nothing needs, safest first, until SIZE is available on the image filesystem. A "
      "dry run unless --dry-run=false. Exit code 0: with --dry-run=false, SIZE is available; in a "
      "dry run, it would be. Protections, ages, limits and suspend of the policy hold, its windows "
      "do not");
  command
      ->add_option_function<std::string>(
          "SIZE", [&options](const std::string& text) { options.room = *ReadSize(text); },
          "Such as 20Gi or 500M")
      ->check(CLI::Validator(
          [](const std::string& text) {
            const auto size = ReadSize(text);
            if (!size) return size.error().what;
            if (*size == 0) return std::string("must be more than 0");
            // Few mean bytes.
            return IsDigit(text.back()) ? "needs a unit, such as 20Gi or 500M" : std::string();
          },
          "SIZE"))
      ->required();
  return command;
}

CLI::App* AddWatch(CLI::App& app, Options& options) {
  auto* command = app.add_subcommand(
      "watch",
      "Shows the node live: disk, images, and what is pulled, used, released and removed; "
      "lines when it is not a terminal. Removes nothing");
  command
      ->add_option_function<std::string>(
          "--every",
          [&options](const std::string& text) {
            if (auto parsed = ParseDuration(text)) options.watch_every = *parsed;
          },
          "Time between two looks [5s]")
      ->check(CLI::Validator(CheckDuration, "DURATION"));
  return command;
}

CLI::App* AddAnalyze(CLI::App& app, Options& options) {
  auto* command = app.add_subcommand(
      "analyze",
      "Shows who needs which image, what is idle, and side by side what the policy in "
      "force and each profile would do");
  auto* layers = command->add_flag(
      "--layers", options.layers,
      "Instead: how images share layers, which layers are heavy and what made them, and what a "
      "shared base would save; needs containerd, and no Kubernetes");
  command
      ->add_option("--limit", options.limit,
                   "With --layers: rows of each table and list, 1 to 1000")
      ->check(CLI::Range(1, 1000))
      ->needs(layers)
      ->option_text("N [10]");
  command
      ->add_option("--compare", options.compare,
                   "Instead: two documents of one kind, before and after, as `analyze --layers -o "
                   "json`, `df -o json` or `report -o json` wrote them; needs no node")
      ->expected(2)
      ->excludes(layers)
      ->option_text("BEFORE AFTER");
  return command;
}

CLI::App* AddDf(CLI::App& app, Options& options) {
  auto* command = app.add_subcommand(
      "df",
      "Shows on whose account the space of the image store is, and what each image would really "
      "free, of containerd to the byte, else as upper bounds; needs no Kubernetes. Removes "
      "nothing");
  command
      ->add_option("--if-removed", options.if_removed,
                   "Only what these together would free: names, digests, ids")
      ->check(CLI::Validator(
          [](const std::string& text) {
            // The parser takes the word that follows, whatever it is.
            return text.starts_with('-') ? "needs an IMAGE, and " + text + " is none"
                                         : std::string();
          },
          ""))
      ->type_name("IMAGE")
      ->option_text("IMAGE...");
  return command;
}

CLI::App* AddRestore(CLI::App& app, Options& options) {
  auto* command = app.add_subcommand(
      "restore",
      "Bring back images that runs removed: pull them by digest, or take them from an archive, "
      "with the names that they had. A dry run unless --dry-run=false. Images that are present are "
      "left alone, so a restore can be repeated. Needs no Kubernetes");
  auto* which = command->add_option_group("Which images", "One of these");
  which->add_flag_callback(
      "--last", [&options] { options.run.clear(); },
      "All that the last run removed, of those that removed something");
  which->add_option("--run", options.run, "All that one run removed: its id, or the beginning");
  which->add_option("--image", options.image,
                    "One image, by a name, a digest, or an id that it had");
  which->require_option(1);
  command
      ->add_option("--archive-dir", options.archive_dir,
                   "Where keep.archive.path has put archives [that of --policy-file, else "
                   "STATE_DIR/archive]")
      ->option_text("DIR");
  command->add_option("--parallel", options.parallel, "Pulls at once")
      ->check(CLI::Range(1, 32))
      ->option_text("N [3]");
  command
      ->add_option("--min-available", options.min_available,
                   "Stop before less than this percentage of the image filesystem is available; the "
                   "kubelet evicts pods below 15 by default")
      ->check(CLI::Range(0, 99))
      ->option_text("PERCENT [15]");
  return command;
}

void PointToGlobalFlags(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    command->footer("`imagesweep --help` lists the flags that all commands share.");
    PointToGlobalFlags(*command);
  }
}

}  // namespace

std::variant<Invocation, ExitCode> ParseCommandLine(int argc, const char* const* argv) {
  auto options = std::make_shared<Options>();
  CLI::App app{
      "Removes container images that nothing needs any more, and says why for every single one.\n"
      "When it cannot see what is needed, it removes nothing.",
      "imagesweep"};
  app.require_subcommand(1);
  app.set_version_flag("--version", VersionLine(), "Print the version and exit");
  app.fallthrough();
  app.get_formatter()->column_width(34);
  AddSharedFlags(app, *options);

  std::function<int(const std::stop_token&)> run;
  const auto command = [&](CLI::App* added,
                           int (*function)(const Options&, const std::stop_token&)) {
    added->callback([&run, function, options] {
      run = [function, options](const std::stop_token& stop) { return function(*options, stop); };
    });
    return added;
  };
  bool dry_run = true;
  auto* agent =
      command(app.add_subcommand("agent", "Runs as the node's agent until told to stop"), RunAgent);
  agent
      ->add_option("--listen-address", options->listen_address,
                   "HOST:PORT of /livez, /readyz, /metrics and the status page; empty: none")
      ->envname("IMAGESWEEP_LISTEN_ADDRESS")
      ->capture_default_str();
  agent
      ->add_option_function<std::string>(
          "--status-page",
          [options](const std::string& text) { options->status_page = kStatusPages.at(text); },
          "Who gets the status page at / and the JSON at /api/v1, which name images and pods and "
          "ask for no password: loopback (this host and kubectl port-forward), all, or off "
          "[loopback]")
      ->check(CLI::IsMember({"loopback", "all", "off"}))
      ->option_text("WHO")
      ->envname("IMAGESWEEP_STATUS_PAGE");
  agent
      ->add_flag("--events,!--no-events", options->events,
                 "Write events about runs and policies on the Node (needs create and patch on "
                 "events.k8s.io events in namespace default) [true]")
      ->envname("IMAGESWEEP_EVENTS");
  agent
      ->add_option("--policy-origin", options->policy_origin,
                   "What --policy-configmap is, for metrics: chart, existing or configmap")
      ->check(CLI::IsMember({"chart", "existing", "configmap"}))
      ->envname("IMAGESWEEP_POLICY_ORIGIN")
      ->capture_default_str();
  auto* agent_dry =
      agent->add_flag("--dry-run", dry_run, "Remove nothing, whatever the policy says")
          ->envname("IMAGESWEEP_DRY_RUN");
  command(app.add_subcommand(
              "images", "Lists the node's images: who uses them and what would become of them"),
          RunImages);
  auto* plan = command(
      app.add_subcommand("plan", "Shows what would be removed now, and why; removes nothing"),
      RunPlan);
  plan->add_option_function<std::string>(
          "--profile",
          [options](const std::string& name) { options->try_profile = kProfiles.at(name); },
          "As if the policy said this `profile:`; what it sets itself stays")
      ->check(CLI::IsMember({"Conservative", "Balanced", "Aggressive"}))
      ->option_text("PROFILE");
  plan->add_flag("--diff", options->diff,
                 "Show what --policy-file would change, against the policy in force (that of "
                 "--policy-configmap, else the defaults); or what --profile would change in the "
                 "policy in force (--policy-configmap, else --policy-file)");
  command(AddAnalyze(app, *options), RunAnalyze);
  auto* report = app.add_subcommand(
      "report", "Shows what a run did and why: as text, -o markdown or -o json; needs no node");
  report->add_option("--run", options->run,
                     "Its id, or the beginning of it; default: the last run");
  report->callback(
      [&] { run = [options](const std::stop_token&) { return RunReport(*options); }; });
  app.add_subcommand("history",
                     "Lists the runs that are remembered; needs no node. TIMES: so many runs "
                     "in a row that had nothing to do share a line")
      ->callback([&] { run = [options](const std::stop_token&) { return RunHistory(*options); }; });
  auto* sweep = command(
      app.add_subcommand(
             "sweep",
             "One run now; a dry run unless --dry-run=false, whatever the policy's dryRun says")
          ->alias("prune"),
      RunSweep);
  auto* sweep_dry = sweep->add_flag("--dry-run", dry_run, kDryUnlessTold);
  // Words that might mean either are not for a flag that removes.
  sweep_dry->check(CLI::IsMember({"true", "false"}));
  auto* restore = command(AddRestore(app, *options), RunRestore);
  auto* restore_dry = restore->add_flag(
      "--dry-run", dry_run,
      "Show what would come back [true]; --dry-run=false brings it back, also when the policy has "
      "dryRun: true");
  restore_dry->check(CLI::IsMember({"true", "false"}));
  auto* room = command(AddEnsureSpace(app, *options), RunEnsureSpace);
  auto* room_dry = room->add_flag("--dry-run", dry_run, kDryUnlessTold);
  room_dry->check(CLI::IsMember({"true", "false"}));
  for (CLI::App* changes : {sweep, room, restore})
    changes->add_flag("-q,--quiet", options->quiet, "No progress on stderr");
  for (CLI::App* judges : {plan, sweep, room}) AddMinimumAge(*judges, *options);
  command(AddWatch(app, *options), RunWatch);
  auto* explain = command(
      app.add_subcommand("explain", "Says why one image is kept or goes, question by question"),
      RunExplain);
  explain->add_option("IMAGE", options->image, "A name, a digest, or an id")->required();

  command(AddDf(app, *options), RunDf);

  auto* policy = app.add_subcommand("policy", "Checks and prints policies; needs no node");
  policy->require_subcommand(1);
  policy->fallthrough();
  auto* validate = policy->add_subcommand("validate", "Checks a policy: every complaint at once");
  validate->add_option("-f,--filename", options->policy_to_check, "The file; - for standard input")
      ->required();
  validate->callback(
      [&] { run = [options](const std::stop_token&) { return RunPolicyValidate(*options); }; });
  policy->add_subcommand("defaults", "Prints a policy with every field and its default")
      ->callback([&] { run = [](const std::stop_token&) { return RunPolicyDefaults(); }; });
  policy
      ->add_subcommand("reference",
                       "Prints the table of all fields, as docs/reference/policy.md has it")
      ->callback([&] { run = [](const std::stop_token&) { return RunPolicyReference(); }; });
  policy->add_subcommand("schema", "Prints the JSON schema of a policy, for editors and CI")
      ->callback([&] { run = [](const std::stop_token&) { return RunPolicySchema(); }; });
  command(app.add_subcommand("index",
                             "Runs as the one who reads all workloads and publishes what they need "
                             "in ConfigMaps, for agents with --workloads=index; of several one "
                             "leads, the others stand by"),
          RunIndex)
      ->add_option("--listen-address", options->listen_address,
                   "HOST:PORT of /livez, /healthz, /readyz and /metrics; empty: none")
      ->envname("IMAGESWEEP_LISTEN_ADDRESS")
      ->capture_default_str();
  app.add_subcommand("version", "Prints version, revision and CRI version")->callback([&] {
    run = [options](const std::stop_token&) { return RunVersion(*options); };
  });

  PointToGlobalFlags(app);
  const GivenArguments given(argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::string better = BetterComplaint(app, given);
    if (better.empty() && error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError))
      better = NotExpected(app, given);
    if (!better.empty()) {
      PrintError(better);
      return kExitUsage;
    }
    return app.exit(error) == 0 ? kExitDone : kExitUsage;
  }
  if (const std::string why = Contradiction(app, given, *options); !why.empty()) {
    PrintError(why);
    return kExitUsage;
  }
  const auto by_hand = sweep_dry->count() + room_dry->count() + restore_dry->count();
  // Read at the start, before there are threads.
  const char* const ruled_out = std::getenv("IMAGESWEEP_DRY_RUN");  // NOLINT(concurrency-mt-unsafe)
  if (by_hand > 0 && !dry_run && ruled_out != nullptr && std::string_view(ruled_out) == "true") {
    PrintError(
        "IMAGESWEEP_DRY_RUN=true rules out changes to this node, so --dry-run=false is refused; "
        "unset the variable to go on");
    return kExitUsage;
  }
  if (agent_dry->count() + by_hand > 0) options->dry_run = dry_run;
  return Invocation{std::move(run)};
}

}  // namespace imagesweep
