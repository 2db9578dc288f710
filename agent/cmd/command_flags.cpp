#include "agent/cmd/command_flags.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "agent/base/duration.h"
#include "agent/base/quantity.h"
#include "agent/cmd/image_query.h"
#include "agent/cmd/shared_flags.h"

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

void AddAddress(CLI::App& command, const std::string& flag, Options& options,
                const std::string& meaning) {
  command.add_option(flag, options.listen_address, meaning)
      ->envname("IMAGESWEEP_LISTEN_ADDRESS")
      ->capture_default_str();
}

// For commands that change the node only with --dry-run=false.
void AddDryRun(CLI::App& command, Options& options, DryRun& dry_run, const std::string& meaning) {
  // A flag that permits removals accepts no ambiguous words.
  dry_run.by_hand.push_back(command.add_flag("--dry-run", dry_run.value, meaning)
                                ->check(CLI::IsMember({"true", "false"}))
                                ->option_text("[=true|false]"));
  command.add_flag("-q,--quiet", options.quiet, "Do not print progress to stderr");
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

}  // namespace

CLI::App* AddAgent(CLI::App& app, Options& options, DryRun& dry_run) {
  auto* command = app.add_subcommand("agent", "Run the agent of this node");
  AddAddress(*command, "--listen-address", options,
             "HOST:PORT of /livez, /healthz, /readyz, /metrics, and the status page. Empty "
             "disables them.");
  command
      ->add_option_function<std::string>(
          "--status-page",
          [&options](const std::string& text) { options.status_page = kStatusPages.at(text); },
          "Clients that may read the status page at / and the JSON at /api/v1: loopback (this host "
          "and kubectl port-forward), all, or off [loopback]. The page and the JSON show the names "
          "of images and pods without authentication.")
      ->check(CLI::IsMember({"loopback", "all", "off"}))
      ->option_text("WHO")
      ->envname("IMAGESWEEP_STATUS_PAGE");
  command
      ->add_flag(
          "--events,!--no-events", options.events,
          "Write events about runs and policies to the Node [true]. Requires create and patch "
          "on events.k8s.io events in namespace default.")
      ->envname("IMAGESWEEP_EVENTS");
  command
      ->add_option(
          "--policy-origin", options.policy_origin,
          "Where the ConfigMap of --policy-configmap comes from: chart (the chart made it), "
          "existing (policy.existingConfigMap of the chart names it), or configmap (without "
          "the chart). The metric imagesweep_policy_info shows it. The chart sets this flag.")
      ->check(CLI::IsMember({"chart", "existing", "configmap"}))
      ->envname("IMAGESWEEP_POLICY_ORIGIN")
      ->capture_default_str();
  dry_run.of_agent =
      command->add_flag("--dry-run", dry_run.value, "Remove nothing, regardless of the policy")
          ->envname("IMAGESWEEP_DRY_RUN");
  return command;
}

CLI::App* AddStatus(CLI::App& app, Options& options) {
  auto* command = app.add_subcommand(
      "status", "Show the health of the agent of this node, its last run, and its next run");
  AddAddress(*command, "--address", options,
             "HOST:PORT of the agent, as in its --listen-address. Default HOST: 127.0.0.1.");
  return command;
}

CLI::App* AddImages(CLI::App& app, Options& options) {
  auto* command = app.add_subcommand(
      "images", "List the images of the node, what uses them, and their verdicts");
  command
      ->add_option("NAME", options.names,
                   "List only these images: patterns as in a policy, names, digests, or IDs")
      ->option_text("NAME...");
  command
      ->add_option(
          "--filter", options.filters,
          "List only images that match KEY=VALUE. Keys: verdict, code (of the reason, such as "
          "Age), origin (Registry: a registry confirmed the image; Pulled: a pull is "
          "recorded; Local: evidence shows that it was built or imported here; Unknown: no "
          "evidence), repository (a "
          "pattern), and in-use (true or false). Repeat the flag to combine filters. "
          "Values of one key are alternatives, and all keys must match.")
      ->allow_extra_args(false)
      ->check(CLI::Validator(WhyNotFilter, Choices(FilterChoices())))
      ->option_text("KEY=VALUE");
  command
      ->add_option("--sort", options.sort,
                   "Sort by name, size, age (the unused time that counts), or last-used (the last "
                   "use that was seen). A leading - sorts in "
                   "descending order.")
      ->check(CLI::Validator(WhyNotSortKey, Choices({std::begin(kSortKeys), std::end(kSortKeys)})))
      ->option_text("KEY [name]");
  command->add_flag("--reverse", options.reverse, "Reverse the order");
  command->add_flag("-q,--quiet", options.quiet, "Print only the image IDs, one per line");
  return command;
}

CLI::App* AddPlan(CLI::App& app, Options& options) {
  auto* command = app.add_subcommand("plan", "Show which images a run would remove and why");
  command
      ->add_option_function<std::string>(
          "--profile",
          [&options](const std::string& name) { options.try_profile = kProfiles.at(name); },
          "Take the defaults from this profile: Conservative, Balanced, or Aggressive. Fields that "
          "the policy sets still apply.")
      ->check(CLI::IsMember({"Conservative", "Balanced", "Aggressive"}))
      ->option_text("PROFILE");
  command->add_flag(
      "--diff", options.diff,
      "Show which verdicts another policy would change. With --policy-file FILE alone, FILE is "
      "compared with the policy of --policy-configmap, or with the defaults if that flag is not "
      "set. With --profile P alone, the policy in force is compared with the same policy after its "
      "defaults are replaced by those of P. With both --policy-file FILE and --profile P, the new "
      "policy is FILE, with its defaults taken from P. If --policy-configmap is set, the new "
      "policy is compared with the policy of that ConfigMap. Otherwise, it is compared with FILE "
      "as it is.");
  AddMinimumAge(*command, options);
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

CLI::App* AddReport(CLI::App& app, Options& options) {
  auto* command = app.add_subcommand(
      "report", "Show what a run did and why, or the image stores of several runtimes");
  command->add_option("--run", options.run, "Run ID or unique prefix [the last run]");
  return command;
}

CLI::App* AddHistory(CLI::App& app) {
  return app.add_subcommand("history", "List the recorded runs");
}

CLI::App* AddSweep(CLI::App& app, Options& options, DryRun& dry_run) {
  auto* command =
      app.add_subcommand("sweep", "Run once and remove unneeded images (dry run by default)")
          ->alias("prune");
  AddDryRun(*command, options, dry_run, kDryUnlessTold);
  AddMinimumAge(*command, options);
  return command;
}

CLI::App* AddRestore(CLI::App& app, Options& options, DryRun& dry_run) {
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
                   "Directory of the archives [keep.archive.path of --policy-file, "
                   "otherwise STATE_DIR/archive]")
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
  AddDryRun(
      *command, options, dry_run,
      "Show what would be restored, and restore nothing [true]. --dry-run=false restores images, "
      "also when the policy has dryRun: true.");
  return command;
}

CLI::App* AddEnsureSpace(CLI::App& app, Options& options, DryRun& dry_run) {
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
  AddDryRun(*command, options, dry_run, kDryUnlessTold);
  AddMinimumAge(*command, options);
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
  AddAddress(*command, "--address", options,
             "HOST:PORT of the agent of this node, as in its --listen-address. The command asks "
             "the agent for the time of the next run. Default HOST: 127.0.0.1.");
  return command;
}

CLI::App* AddExplain(CLI::App& app, Options& options) {
  auto* command =
      app.add_subcommand("explain", "Explain step by step why an image is kept or removed");
  command->add_option("IMAGE", options.image, "Name, digest, or ID of the image")->required();
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

CLI::App* AddPolicy(CLI::App& app) {
  auto* command =
      app.add_subcommand("policy", "Validate and print policies. Does not need a node.");
  command->require_subcommand(1);
  command->fallthrough();
  return command;
}

CLI::App* AddPolicyValidate(CLI::App& policy, Options& options) {
  auto* command = policy.add_subcommand(
      "validate", "Validate a policy, given as FILE or with -f, and report all errors");
  command->add_option(
      "FILE", options.policy_to_check,
      "File with a policy, or with the manifest of a ConfigMap that has a policy at --policy-key. "
      "For standard input, set \"-\".");
  command->add_option("-f,--filename", options.policy_to_check, "The same as the argument FILE")
      ->option_text("FILE");
  command->require_option(1);
  return command;
}

CLI::App* AddPolicyDefaults(CLI::App& policy) {
  return policy.add_subcommand("defaults", "Print a policy that has every field with its default");
}

CLI::App* AddPolicyReference(CLI::App& policy) {
  return policy.add_subcommand("reference",
                               "Print the reference of all fields (docs/reference/policy.md)");
}

CLI::App* AddPolicySchema(CLI::App& policy) {
  return policy.add_subcommand("schema", "Print the JSON schema of a policy, for editors and CI");
}

CLI::App* AddIndex(CLI::App& app, Options& options) {
  auto* command =
      app.add_subcommand("index",
                         "Publish the workload index: ConfigMaps that list the images of all "
                         "workloads, for agents with --workloads=index");
  AddAddress(*command, "--listen-address", options,
             "HOST:PORT of /livez, /healthz, /readyz, and /metrics. Empty disables them.");
  return command;
}

CLI::App* AddVersion(CLI::App& app) {
  return app.add_subcommand(
      "version",
      "Print the version and the revision of imagesweep, and the version of the CRI that it uses");
}

}  // namespace imagesweep
