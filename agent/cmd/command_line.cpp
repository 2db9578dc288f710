#include "agent/cmd/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <iterator>

#include <map>
#include <memory>

#include "agent/base/duration.h"
#include "agent/base/quantity.h"
#include "agent/cmd/commands.h"
#include "agent/cmd/completion_command.h"
#include "agent/cmd/help_footers.h"
#include "agent/cmd/image_query.h"
#include "agent/cmd/man_command.h"
#include "agent/cmd/render.h"
#include "agent/cmd/shared_flags.h"
#include "agent/cmd/usage.h"
#include "agent/cmd/version.h"

namespace imagesweep {
namespace {

const std::map<std::string, Profile> kProfiles{{"Conservative", Profile::kConservative},
                                               {"Balanced", Profile::kBalanced},
                                               {"Aggressive", Profile::kAggressive}};
const std::map<std::string, StatusPage> kStatusPages{
    {"loopback", StatusPage::kLoopback}, {"all", StatusPage::kAll}, {"off", StatusPage::kOff}};

constexpr const char* kDryUnlessTold =
    "Show what would be removed, and remove nothing [true]. --dry-run=false removes images, "
    "also when the policy has dryRun: true.";

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

void AddAddress(CLI::App& command, Options& options, const std::string& meaning) {
  command.add_option("--address", options.listen_address, meaning)
      ->envname("IMAGESWEEP_LISTEN_ADDRESS")
      ->capture_default_str();
}

CLI::App* AddStatus(CLI::App& app, Options& options) {
  auto* command = app.add_subcommand(
      "status", "Show the health of the agent of this node, its last run, and its next run");
  AddAddress(*command, options,
             "HOST:PORT of the agent, as in its --listen-address. Default HOST: 127.0.0.1.");
  return command;
}

// The words as the allowed values of a flag, which completion offers.
std::string Choices(const std::vector<std::string>& words) {
  std::string text = "{";
  for (const std::string& word : words) text += (text.size() == 1 ? "" : ",") + word;
  return text + "}";
}

std::string WhyNotSortKey(const std::string& text) {
  const std::string key = text.starts_with('-') ? text.substr(1) : text;
  if (std::ranges::find(kSortKeys, key) != std::end(kSortKeys)) return {};
  return "unknown key \"" + text + "\"; valid keys are name, size, age, and last-used";
}

CLI::App* AddImages(CLI::App& app, Options& options) {
  auto* command = app.add_subcommand(
      "images", "List the images of the node, what uses them, and their verdicts");
  command
      ->add_option("NAME", options.names,
                   "List only these images: patterns as in a policy, names, digests, or IDs")
      ->option_text("NAME...");
  command
      ->add_option("--filter", options.filters,
                   "List only images that match KEY=VALUE. Keys: verdict, code, origin, repository "
                   "(a pattern), and in-use (true or false). Repeat the flag to combine filters: "
                   "an image must match one value of each key.")
      ->allow_extra_args(false)
      ->check(CLI::Validator(WhyNotFilter, Choices(FilterChoices())))
      ->option_text("KEY=VALUE");
  command
      ->add_option("--sort", options.sort,
                   "Sort by name, size, age, or last-used. A leading - sorts in descending order.")
      ->check(CLI::Validator(WhyNotSortKey, Choices({std::begin(kSortKeys), std::end(kSortKeys)})))
      ->option_text("KEY [name]");
  command->add_flag("--reverse", options.reverse, "Reverse the order");
  command->add_flag("-q,--quiet", options.quiet, "Print only the image IDs, one per line");
  return command;
}

CLI::App* AddEnsureSpace(CLI::App& app, Options& options) {
  auto* command = app.add_subcommand("ensure-space",
                                     "Remove unneeded images until SIZE is available on the image "
                                     "filesystem (dry run by default)");
  command
      ->add_option_function<std::string>(
          "SIZE",
          [&options](const std::string& text) { options.free_space_target = *ParseQuantity(text); },
          "Space that must be available, such as 20Gi or 500M")
      ->check(CLI::Validator(
          [](const std::string& text) {
            const auto size = ParseQuantity(text);
            if (!size) return size.error().what;
            if (*size == 0) return std::string("must be more than 0");
            // A number without a unit is probably a mistake.
            return IsDigit(text.back()) ? "needs a unit, such as 20Gi or 500M" : std::string();
          },
          "SIZE"))
      ->required();
  return command;
}

CLI::App* AddWatch(CLI::App& app, Options& options) {
  auto* command = app.add_subcommand(
      "watch", "Watch disk usage and changes of images on the node, without removing anything");
  command
      ->add_option_function<std::string>(
          "--every",
          [&options](const std::string& text) {
            if (auto parsed = ParseDuration(text)) options.watch_every = *parsed;
          },
          "Time between two updates [5s]")
      ->check(CLI::Validator(CheckDuration, "DURATION"));
  AddAddress(*command, options,
             "HOST:PORT of the agent of this node, as in its --listen-address. The command asks "
             "the agent for the time of the next run. Default HOST: 127.0.0.1.");
  return command;
}

CLI::App* AddAnalyze(CLI::App& app, Options& options) {
  auto* command = app.add_subcommand(
      "analyze",
      "Analyze which images are in use or idle, and compare the policy in force with each profile");
  auto* layers = command->add_flag(
      "--layers", options.layers,
      "Analyze layers instead: which layers images share, which layers are large, which build "
      "instructions made them, and how much space a shared base would save. Requires containerd, "
      "but not Kubernetes.");
  command
      ->add_option("--limit", options.limit,
                   "With --layers: maximum number of rows of each table and list, 1 to 1000")
      ->check(CLI::Range(1, 1000))
      ->needs(layers)
      ->option_text("N [10]");
  command
      ->add_option("--compare", options.compare,
                   "Compare two documents of the same kind instead: output of `analyze --layers "
                   "-o json`, `df -o json`, or `report -o json`. Does not need a node.")
      ->expected(2)
      ->excludes(layers)
      ->option_text("BEFORE AFTER");
  return command;
}

CLI::App* AddDf(CLI::App& app, Options& options) {
  auto* command = app.add_subcommand(
      "df", "Show what uses disk space, and how much space removing each image would free");
  command
      ->add_option("--if-removed", options.if_removed,
                   "Show only the space that removing these images together would free")
      ->check(CLI::Validator(
          [](const std::string& text) {
            // The parser takes the next word, also if it is a flag.
            return text.starts_with('-') ? "requires an IMAGE, but got the flag " + text
                                         : std::string();
          },
          ""))
      ->type_name("IMAGE")
      ->option_text("IMAGE...");
  return command;
}

CLI::App* AddRestore(CLI::App& app, Options& options) {
  auto* command = app.add_subcommand("restore",
                                     "Restore removed images with their names, from a registry or "
                                     "an archive (dry run by default)");
  auto* which = command->add_option_group("Images to restore", "Select the images");
  which->add_flag_callback(
      "--last", [&options] { options.run.clear(); },
      "Restore all images of the last run that removed any");
  which->add_option("--run", options.run,
                    "Restore all images that a run removed: run ID or unique prefix");
  which->add_option("--image", options.image, "Restore one image: name, digest, or ID");
  which->require_option(1);
  command
      ->add_option("--archive-dir", options.archive_dir,
                   "Directory of the archives [keep.archive.path of --policy-file, or "
                   "STATE_DIR/archive]")
      ->option_text("DIR");
  command->add_option("--parallel", options.parallel, "Maximum number of concurrent pulls")
      ->check(CLI::Range(1, 32))
      ->option_text("N [3]");
  command
      ->add_option("--min-available", options.min_available,
                   "Percentage of the image filesystem that must stay available. The restore stops "
                   "before the available space falls below it. By default, the kubelet evicts "
                   "pods below 15.")
      ->check(CLI::Range(0, 99))
      ->option_text("PERCENT [15]");
  return command;
}

// `parent`: the name of the command `app`, with a trailing space.
void AddFooters(CLI::App& app, const std::string& parent) {
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    const std::string name = parent + command->get_name();
    command->footer(HelpFooterOf(name) +
                    "\n`imagesweep --help` lists the flags that all commands share.");
    AddFooters(*command, name + " ");
  }
}

}  // namespace

std::variant<Invocation, ExitCode> ParseCommandLine(int argc, const char* const* argv) {
  auto options = std::make_shared<Options>();
  CLI::App app{
      "Remove unneeded container images from a node and give the reason for each decision.\n"
      "If the program cannot determine which images are in use, it removes nothing.",
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
  auto* agent = command(app.add_subcommand("agent", "Run the agent of this node"), RunAgent);
  agent
      ->add_option("--listen-address", options->listen_address,
                   "HOST:PORT of /livez, /healthz, /readyz, /metrics, and the status page. Empty "
                   "disables them.")
      ->envname("IMAGESWEEP_LISTEN_ADDRESS")
      ->capture_default_str();
  agent
      ->add_option_function<std::string>(
          "--status-page",
          [options](const std::string& text) { options->status_page = kStatusPages.at(text); },
          "Clients that may read the status page at / and the JSON at /api/v1: loopback (this host "
          "and kubectl port-forward), all, or off [loopback]. Both show the names of images and "
          "pods without authentication.")
      ->check(CLI::IsMember({"loopback", "all", "off"}))
      ->option_text("WHO")
      ->envname("IMAGESWEEP_STATUS_PAGE");
  agent
      ->add_flag(
          "--events,!--no-events", options->events,
          "Write events about runs and policies to the Node [true]. Requires create and patch "
          "on events.k8s.io events in namespace default.")
      ->envname("IMAGESWEEP_EVENTS");
  agent
      ->add_option("--policy-origin", options->policy_origin,
                   "Source that the metrics report for a policy from --policy-configmap: chart, "
                   "existing (policy.existingConfigMap of the chart), or configmap")
      ->check(CLI::IsMember({"chart", "existing", "configmap"}))
      ->envname("IMAGESWEEP_POLICY_ORIGIN")
      ->capture_default_str();
  auto* agent_dry =
      agent->add_flag("--dry-run", dry_run, "Remove nothing, regardless of the policy")
          ->envname("IMAGESWEEP_DRY_RUN");
  command(AddStatus(app, *options), RunStatus);
  command(AddImages(app, *options), RunImages);
  auto* plan =
      command(app.add_subcommand("plan", "Show which images a run would remove and why"), RunPlan);
  plan->add_option_function<std::string>(
          "--profile",
          [options](const std::string& name) { options->try_profile = kProfiles.at(name); },
          "Use this profile. Fields that the policy sets still apply.")
      ->check(CLI::IsMember({"Conservative", "Balanced", "Aggressive"}))
      ->option_text("PROFILE");
  plan->add_flag("--diff", options->diff,
                 "Show what another policy would change. With --policy-file: compare that file "
                 "with the policy in force (--policy-configmap, or the defaults). With --profile: "
                 "compare that profile with the policy in force (--policy-configmap, or "
                 "--policy-file).");
  command(AddAnalyze(app, *options), RunAnalyze);
  auto* report = app.add_subcommand("report", "Show what a run did and why");
  report->add_option("--run", options->run, "Run ID or unique prefix [the last run]");
  report->callback(
      [&] { run = [options](const std::stop_token&) { return RunReport(*options); }; });
  app.add_subcommand("history", "List the recorded runs")->callback([&] {
    run = [options](const std::stop_token&) { return RunHistory(*options); };
  });
  auto* sweep = command(
      app.add_subcommand("sweep", "Run once and remove unneeded images (dry run by default)")
          ->alias("prune"),
      RunSweep);
  auto* sweep_dry = sweep->add_flag("--dry-run", dry_run, kDryUnlessTold);
  // A flag that permits removals accepts no ambiguous words.
  sweep_dry->check(CLI::IsMember({"true", "false"}));
  auto* restore = command(AddRestore(app, *options), RunRestore);
  auto* restore_dry = restore->add_flag(
      "--dry-run", dry_run,
      "Show what would be restored, and restore nothing [true]. --dry-run=false restores images, "
      "also when the policy has dryRun: true.");
  restore_dry->check(CLI::IsMember({"true", "false"}));
  auto* free_space_target = command(AddEnsureSpace(app, *options), RunEnsureSpace);
  auto* room_dry = free_space_target->add_flag("--dry-run", dry_run, kDryUnlessTold);
  room_dry->check(CLI::IsMember({"true", "false"}));
  for (CLI::App* changes : {sweep, free_space_target, restore})
    changes->add_flag("-q,--quiet", options->quiet, "Do not print progress to stderr");
  for (CLI::App* judges : {plan, sweep, free_space_target}) AddMinimumAge(*judges, *options);
  command(AddWatch(app, *options), RunWatch);
  auto* explain =
      command(app.add_subcommand("explain", "Explain step by step why an image is kept or removed"),
              RunExplain);
  explain->add_option("IMAGE", options->image, "Name, digest, or ID of the image")->required();

  command(AddDf(app, *options), RunDf);

  auto* policy = app.add_subcommand("policy", "Validate and print policies. Does not need a node.");
  policy->require_subcommand(1);
  policy->fallthrough();
  auto* validate = policy->add_subcommand("validate", "Validate a policy and report all errors");
  validate->add_option(
      "FILE", options->policy_to_check,
      "File that contains a policy, or the manifest of a ConfigMap with a policy at --policy-key. "
      "- means standard input.");
  validate->add_option("-f,--filename", options->policy_to_check, "The same as FILE")
      ->option_text("FILE");
  validate->require_option(1);
  validate->callback(
      [&] { run = [options](const std::stop_token&) { return RunPolicyValidate(*options); }; });
  policy->add_subcommand("defaults", "Print a policy that has every field with its default")
      ->callback([&] { run = [](const std::stop_token&) { return RunPolicyDefaults(); }; });
  policy
      ->add_subcommand("reference", "Print the reference of all fields (docs/reference/policy.md)")
      ->callback([&] { run = [](const std::stop_token&) { return RunPolicyReference(); }; });
  policy->add_subcommand("schema", "Print the JSON schema of a policy, for editors and CI")
      ->callback([&] { run = [](const std::stop_token&) { return RunPolicySchema(); }; });
  command(app.add_subcommand("index",
                             "Publish the workload index: ConfigMaps that list the images of all "
                             "workloads, for agents with --workloads=index"),
          RunIndex)
      ->add_option("--listen-address", options->listen_address,
                   "HOST:PORT of /livez, /healthz, /readyz, and /metrics. Empty disables them.")
      ->envname("IMAGESWEEP_LISTEN_ADDRESS")
      ->capture_default_str();
  app.add_subcommand("version", "Print the version, the revision, and the CRI version")
      ->callback([&] { run = [options](const std::stop_token&) { return RunVersion(*options); }; });

  AddCompletion(app, run);
  AddMan(app, run);

  AddFooters(app, "");
  app.footer("Use `imagesweep COMMAND --help` for more information about a command.");
  const GivenArguments given(argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::string better = ExplainUsageError(app, given);
    if (better.empty() && error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError))
      better = UnusedFlags(app, given);
    if (!better.empty()) {
      PrintError(better);
      return kExitUsage;
    }
    return app.exit(error) == 0 ? kExitDone : kExitUsage;
  }
  if (const std::string why = ValidateFlags(app, given, *options); !why.empty()) {
    PrintError(why);
    return kExitUsage;
  }
  const auto by_hand = sweep_dry->count() + room_dry->count() + restore_dry->count();
  // Read at the start, before there are threads.
  const char* const ruled_out = std::getenv("IMAGESWEEP_DRY_RUN");  // NOLINT(concurrency-mt-unsafe)
  if (by_hand > 0 && !dry_run && ruled_out != nullptr && std::string_view(ruled_out) == "true") {
    PrintError(
        "IMAGESWEEP_DRY_RUN=true forbids changes to this node, so --dry-run=false is refused; "
        "unset the variable to continue");
    return kExitUsage;
  }
  if (agent_dry->count() + by_hand > 0) options->dry_run = dry_run;
  return Invocation{std::move(run)};
}

}  // namespace imagesweep
