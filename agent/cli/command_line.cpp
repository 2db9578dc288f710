#include "agent/cli/command_line.h"

#include <CLI/CLI.hpp>

#include <map>
#include <memory>

#include "agent/base/duration.h"
#include "agent/cli/commands.h"
#include "agent/cli/render.h"
#include "agent/cli/usage.h"
#include "agent/cli/version.h"

namespace imagesweep {
namespace {

const std::map<std::string, Output> kOutputs{
    {"table", Output::kTable}, {"wide", Output::kWide}, {"json", Output::kJson},
    {"yaml", Output::kYaml},   {"name", Output::kName}, {"markdown", Output::kMarkdown},
    {"text", Output::kTable}};
const std::map<std::string, Profile> kProfiles{{"Conservative", Profile::kConservative},
                                               {"Balanced", Profile::kBalanced},
                                               {"Aggressive", Profile::kAggressive}};
const std::map<std::string, LogFormat> kLogFormats{{"text", LogFormat::kText},
                                                   {"json", LogFormat::kJson}};
const std::map<std::string, StatusPage> kStatusPages{
    {"loopback", StatusPage::kLoopback}, {"all", StatusPage::kAll}, {"off", StatusPage::kOff}};

// A duration as the policy writes it; CLI11 prints the complaint.
std::string CheckDuration(const std::string& text) {
  const auto parsed = ParseDuration(text);
  if (!parsed) return parsed.error().what;
  return parsed->count() > 0 ? std::string() : "must be more than 0";
}

void AddSourceFlags(CLI::App& app, Options& options) {
  const std::string group = "Sources";
  app.add_option(
         "--runtime-endpoint", options.runtime_endpoint,
         "CRI socket, e.g. unix:///run/containerd/containerd.sock; found by itself when not given")
      ->envname("IMAGESWEEP_RUNTIME_ENDPOINT")
      ->group(group);
  app.add_option(
         "--host-prefix", options.host_prefix,
         "Directory under which the node's /run is found when looking for sockets, e.g. /host")
      ->envname("IMAGESWEEP_HOST_PREFIX")
      ->group(group);
  app.add_option("--kubeconfig", options.kubeconfig,
                 "How to reach the Kubernetes API; inside a pod the service account is used")
      ->envname("KUBECONFIG")
      ->group(group);
  app.add_option("--node-name", options.node_name,
                 "This node's name in Kubernetes; default: the host name")
      ->envname("NODE_NAME")
      ->group(group);
  app.add_flag("--without-kubernetes", options.without_kubernetes,
               "For a host with no cluster: only the runtime says what is in use")
      ->group(group);
  app.add_flag("--read-kubelet-config", options.read_kubelet,
               "Ask the kubelet for its own thresholds, through the API server (needs get on "
               "nodes/proxy); else its defaults 85 and 80 are assumed")
      ->envname("IMAGESWEEP_READ_KUBELET_CONFIG")
      ->group(group);
  app.add_option("--policy-file", options.policy_file, "Policy to follow")
      ->envname("IMAGESWEEP_POLICY_FILE")
      ->group(group);
  app.add_option("--policy-configmap", options.policy_configmap,
                 "NAMESPACE/NAME of the ConfigMap that holds the policy")
      ->envname("IMAGESWEEP_POLICY_CONFIGMAP")
      ->group(group);
  app.add_option("--policy-key", options.policy_key, "Its key in that ConfigMap")
      ->envname("IMAGESWEEP_POLICY_KEY")
      ->capture_default_str()
      ->group(group);
  app.add_option("--policy-override-configmap", options.policy_override_configmap,
                 "NAMESPACE/NAME of a ConfigMap that replaces that one for as long as it exists")
      ->envname("IMAGESWEEP_POLICY_OVERRIDE_CONFIGMAP")
      ->group(group);
  app.add_option(
         "--state-dir", options.state_dir,
         "Keeps first seen and last used times and the history of runs; empty: keep nothing")
      ->envname("IMAGESWEEP_STATE_DIR")
      ->capture_default_str()
      ->group(group);
}

void AddOutputFlags(CLI::App& app, Options& options) {
  const std::string group = "Output and limits";
  app.add_option_function<std::string>(
         "-o,--output", [&options](const std::string& text) { options.output = kOutputs.at(text); },
         "table (or text), wide, json, yaml, name; markdown for report, analyze, plan --diff")
      ->check(CLI::IsMember({"table", "text", "wide", "json", "yaml", "name", "markdown"}))
      ->option_text("FORMAT")
      ->group(group);
  app.add_flag("--no-headers", options.no_headers,
               "Rows alone: tables without their first line and what stands below")
      ->group(group);
  app.add_option_function<std::string>(
         "--timeout",
         [&options](const std::string& text) {
           if (auto parsed = ParseDuration(text)) options.timeout = *parsed;
         },
         "For each question to the runtime and each removal [2m]")
      ->check(CLI::Validator(CheckDuration, "DURATION"))
      ->envname("IMAGESWEEP_TIMEOUT")
      ->group(group);
  app.add_option("--log-level", options.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->envname("IMAGESWEEP_LOG_LEVEL")
      ->capture_default_str()
      ->group(group);
  app.add_option_function<std::string>(
         "--log-format",
         [&options](const std::string& text) { options.log_format = kLogFormats.at(text); },
         "text or json [json for agent, text else]")
      ->check(CLI::IsMember({"text", "json"}))
      ->envname("IMAGESWEEP_LOG_FORMAT")
      ->group(group);
}

// Given by the DaemonSet, not by people.
void AddPodIdentity(CLI::App& app, Options& options) {
  app.add_option("--pod-name", options.pod_name)->envname("POD_NAME")->group("");
  app.add_option("--pod-namespace", options.pod_namespace)->envname("POD_NAMESPACE")->group("");
  app.add_option("--pod-uid", options.pod_uid)->envname("POD_UID")->group("");
}

}  // namespace

namespace {

// The flags, of those that every command takes, which a command without a node reads.  `report` and
// `history` are about a node all the same, so they are given its sources like the others.
const std::vector<std::string>* ReadBy(const std::string& command) {
  static const std::map<std::string, std::vector<std::string>> kRead{
      {"report", {"output"}},
      {"history", {"output", "no-headers"}},
      {"policy", {}},
      {"version", {"output"}}};
  const auto found = kRead.find(command);
  return found == kRead.end() ? nullptr : &found->second;
}

// Of two policies the one from the command line beats that from the environment.
std::string ChoosePolicy(const CLI::App& app, const GivenArguments& given, Options& options) {
  if (options.policy_file.empty() || options.policy_configmap.empty()) return {};
  const bool file = given.Has(*app.get_option("--policy-file"));
  const bool config_map = given.Has(*app.get_option("--policy-configmap"));
  if (file == config_map)
    return "--policy-file " + options.policy_file + " and --policy-configmap " +
           options.policy_configmap + " are both given; which one is the policy?";
  (file ? options.policy_configmap : options.policy_file).clear();
  return {};
}

// Everything that the parser cannot know; empty: it is well.
std::string Contradiction(const CLI::App& app, const GivenArguments& given, Options& options) {
  const CLI::App& command = *app.get_subcommands().front();
  const std::string name = command.get_name();
  const bool difference = name == "plan" && options.diff;
  if (difference && options.policy_file.empty() && !options.try_profile)
    return "plan --diff needs --policy-file or --profile: what shall be compared?";
  if (options.output == Output::kMarkdown && name != "report" && name != "analyze" && !difference)
    return "-o markdown is for report, analyze and plan --diff";
  const auto* read = ReadBy(name);
  if (read == nullptr && !difference)
    if (std::string which = ChoosePolicy(app, given, options); !which.empty()) return which;
  const bool about_node = name == "report" || name == "history";
  std::vector<const CLI::Option*> flags;
  for (const CLI::Option* option : app.get_options())
    if ((option->get_group() == "Sources" && !about_node) ||
        option->get_group() == "Output and limits")
      if (read != nullptr || option->get_name() == "--no-headers") flags.push_back(option);
  if (read != nullptr) return Unread(flags, *read, name, given);
  const bool no_rows = name == "explain" || name == "analyze" || name == "agent" || difference;
  return Unread(flags, {no_rows ? "" : "no-headers"}, difference ? "plan --diff" : name, given);
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
  AddSourceFlags(app, *options);
  AddOutputFlags(app, *options);
  AddPodIdentity(app, *options);

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
      agent->add_flag("--dry-run", dry_run, "Remove nothing, whatever the policy says");
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
  command(
      app.add_subcommand(
          "analyze", "Shows who needs which image, what is idle, and the profiles side by side"),
      RunAnalyze);
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
  auto* sweep_dry = sweep->add_flag(
      "--dry-run", dry_run,
      "Show what would go [true]; --dry-run=false removes, also when the policy has dryRun: true");
  auto* explain = command(
      app.add_subcommand("explain", "Says why one image is kept or goes, question by question"),
      RunExplain);
  explain->add_option("IMAGE", options->image, "A name, a digest, or an id")->required();

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
  app.add_subcommand("version", "Prints version, revision and CRI version")->callback([&] {
    run = [options](const std::stop_token&) { return RunVersion(*options); };
  });

  PointToGlobalFlags(app);
  const GivenArguments given(argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (const std::string better = BetterComplaint(app, given); !better.empty()) {
      PrintError(better);
      return kExitUsage;
    }
    return app.exit(error) == 0 ? kExitDone : kExitUsage;
  }
  if (const std::string why = Contradiction(app, given, *options); !why.empty()) {
    PrintError(why);
    return kExitUsage;
  }
  if (agent_dry->count() + sweep_dry->count() > 0) options->dry_run = dry_run;
  return Invocation{std::move(run)};
}

}  // namespace imagesweep
