#include "agent/cmd/shared_flags.h"

#include <algorithm>
#include <map>
#include <vector>

#include "agent/base/duration.h"
#include "agent/kube/client/identity.h"

namespace imagesweep {
namespace {

const std::map<std::string, Output> kOutputs{
    {"table", Output::kTable}, {"wide", Output::kWide}, {"json", Output::kJson},
    {"yaml", Output::kYaml},   {"name", Output::kName}, {"markdown", Output::kMarkdown},
    {"text", Output::kTable}};
const std::map<std::string, WorkloadsFrom> kWorkloads{{"off", WorkloadsFrom::kOff},
                                                      {"direct", WorkloadsFrom::kDirect},
                                                      {"index", WorkloadsFrom::kIndex}};
const std::map<std::string, LogFormat> kLogFormats{{"text", LogFormat::kText},
                                                   {"json", LogFormat::kJson}};

void AddSourceFlags(CLI::App& app, Options& options) {
  const std::string group = "Sources";
  app.add_option("--runtime-endpoint", options.runtime_endpoints,
                 "Socket of the runtime, CRI or Docker Engine, such as "
                 "unix:///run/containerd/containerd.sock; auto-detected if not set. Repeat the "
                 "flag for a `report` on several image stores.")
      ->allow_extra_args(false)
      ->type_name("ENDPOINT")
      ->envname("IMAGESWEEP_RUNTIME_ENDPOINT")
      ->group(group);
  app.add_option("--host-prefix", options.host_prefix,
                 "Prefix of the paths of the node, such as /host. Sockets are then detected below "
                 "/host/run.")
      ->envname("IMAGESWEEP_HOST_PREFIX")
      ->group(group);
  app.add_option(
         "--kubelet-dir", options.kubelet_dir,
         "Directory of the kubelet. Its pull records (Kubernetes 1.35 and later) prove that "
         "an image can be pulled again.")
      ->envname("IMAGESWEEP_KUBELET_DIR")
      ->capture_default_str()
      ->group(group);
  app.add_option("--pull-secret", options.pull_secret,
                 "Path to the credentials for private registries (dockerconfigjson), such as "
                 "~/.docker/config.json. restore and keep.verifyRegistry use them.")
      ->option_text("FILE")
      ->envname("IMAGESWEEP_PULL_SECRET")
      ->group(group);
  app.add_option("--kubeconfig", options.kubeconfig,
                 "Path to the kubeconfig file. If not set, a pod uses its service account. Outside "
                 "a pod, commands that read Kubernetes require it.")
      ->envname("KUBECONFIG")
      ->group(group);
  app.add_option("--node-name", options.node_name, "Name of this node in Kubernetes [host name]")
      ->envname("NODE_NAME")
      ->group(group);
  app.add_flag(
         "--without-kubernetes", options.without_kubernetes,
         "Use only the runtime to determine which images are in use, on a host without a cluster")
      ->group(group);
  app.add_flag("--read-kubelet-config", options.read_kubelet,
               "Read the kubelet's thresholds for image garbage collection through the API server "
               "instead of assuming its defaults 85 and 80. Requires get on nodes/proxy.")
      ->envname("IMAGESWEEP_READ_KUBELET_CONFIG")
      ->group(group);
  app.add_option_function<std::string>(
         "--workloads",
         [&options](const std::string& text) { options.workloads = kWorkloads.at(text); },
         "Source of the cluster's workloads for keep.workloads. off: none. direct: the API server; "
         "an agent watches the workloads there (requires list and watch on apps and batch), and a "
         "command lists them (requires list). index: the ConfigMaps that `imagesweep index` "
         "publishes (see --index-name). If you do not set this flag, an agent and the commands "
         "list the workloads from the API server in each run. If keep.workloads.enabled is true "
         "and the workloads cannot be read, every run aborts.")
      ->check(CLI::IsMember({"off", "direct", "index"}))
      ->envname("IMAGESWEEP_WORKLOADS")
      ->group(group);
  app.add_option("--index-name", options.index_name,
                 "Workload index that --workloads=index reads and `imagesweep index` writes: "
                 "NAMESPACE/NAME, or NAME in the namespace of the pod (POD_NAMESPACE)")
      ->envname("IMAGESWEEP_INDEX_NAME")
      ->capture_default_str()
      ->group(group);
  app.add_option("--policy-file", options.policy_file, "Path to the policy file")
      ->envname("IMAGESWEEP_POLICY_FILE")
      ->group(group);
  app.add_option("--policy-configmap", options.policy_configmap,
                 "ConfigMap that contains the policy, as NAMESPACE/NAME")
      ->envname("IMAGESWEEP_POLICY_CONFIGMAP")
      ->group(group);
  app.add_option("--policy-key", options.policy_key, "Key of the policy in the ConfigMap")
      ->envname("IMAGESWEEP_POLICY_KEY")
      ->capture_default_str()
      ->group(group);
  app.add_option(
         "--policy-override-configmap", options.policy_override_configmap,
         "Override ConfigMap, as NAMESPACE/NAME. While it exists, it replaces the ConfigMap of "
         "--policy-configmap.")
      ->envname("IMAGESWEEP_POLICY_OVERRIDE_CONFIGMAP")
      ->group(group);
  app.add_option(
         "--state-dir", options.state_dir,
         "Directory for the history of runs and the times at which images were used. \"\" stores "
         "nothing.")
      ->envname("IMAGESWEEP_STATE_DIR")
      ->capture_default_str()
      ->group(group);
}

// Ages are counted by observations; this flag is about the time between two of them.
void AddAgeFlags(CLI::App& app, Options& options) {
  app.add_flag(
         "--count-unwatched", options.count_unwatched,
         "Treat unwatched time as time in which no image was used. Unwatched time is the time "
         "between two commands if no agent runs (for example with cron), and the time between two "
         "evaluations on CRI-O, where an agent cannot watch uses. At most one day of each gap "
         "counts. An image that was used in a gap but is idle now may be removed.")
      ->envname("IMAGESWEEP_COUNT_UNWATCHED")
      ->group("Sources");
}

void AddOutputFlags(CLI::App& app, Options& options) {
  const std::string group = "Output and limits";
  app.add_option_function<std::string>(
         "-o,--output", [&options](const std::string& text) { options.output = kOutputs.at(text); },
         "Output format: table (or text), wide, json, yaml, name, or markdown. Only report, "
         "analyze, and plan support markdown.")
      ->check(CLI::IsMember({"table", "text", "wide", "json", "yaml", "name", "markdown"}))
      ->option_text("FORMAT")
      ->group(group);
  app.add_flag("--no-headers", options.no_headers,
               "Print only the rows of tables, without headers and without text after the table")
      ->group(group);
  app.add_option_function<std::string>(
         "--timeout",
         [&options](const std::string& text) {
           if (auto parsed = ParseDuration(text)) options.timeout = *parsed;
         },
         "Timeout per CRI request [2m]")
      ->check(CLI::Validator(CheckDuration, "DURATION"))
      ->envname("IMAGESWEEP_TIMEOUT")
      ->group(group);
  app.add_option("--log-level", options.log_level, "Log level: debug, info, warn, or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->envname("IMAGESWEEP_LOG_LEVEL")
      ->capture_default_str()
      ->group(group);
  app.add_option_function<std::string>(
         "--log-format",
         [&options](const std::string& text) { options.log_format = kLogFormats.at(text); },
         "Log format: text or json [json for agent and index, text otherwise]")
      ->check(CLI::IsMember({"text", "json"}))
      ->envname("IMAGESWEEP_LOG_FORMAT")
      ->group(group);
}

// Set by the DaemonSet, not by users.
void AddPodIdentity(CLI::App& app, Options& options) {
  app.add_option("--pod-name", options.pod_name)->envname("POD_NAME")->group("");
  app.add_option("--pod-namespace", options.pod_namespace)->envname("POD_NAMESPACE")->group("");
  app.add_option("--pod-uid", options.pod_uid)->envname("POD_UID")->group("");
}

// The shared flags that a command without a node supports.  `report` and `history` accept the flags
// for sources too, because they are about a node.
const std::vector<std::string>* ReadBy(const std::string& command) {
  static const std::map<std::string, std::vector<std::string>> kRead{
      {"report", {"output", "runtime-endpoint", "timeout"}},
      {"history", {"output", "no-headers"}},
      {"policy", {}},
      {"completion", {}},
      {"policy validate", {"policy-key"}},
      {"man", {}},
      {"analyze --compare", {"output"}},
      {"index", {"kubeconfig", "index-name", "log-level", "log-format"}},
      {"status", {"output"}},
      {"version", {"output"}}};
  const auto found = kRead.find(command);
  return found == kRead.end() ? nullptr : &found->second;
}

// An unset variable in a script must not turn a policy into the defaults, or the next flag into a
// value.
std::string EmptyValue(const CLI::App& app, const GivenArguments& given) {
  for (const char* name : {"--policy-file", "--policy-configmap", "--policy-override-configmap",
                           "--kubeconfig", "--node-name", "--runtime-endpoint"}) {
    const CLI::Option& option = *app.get_option(name);
    if (!given.Has(option)) continue;
    std::vector<std::string> values = option.results();
    if (values.empty()) values.emplace_back();
    for (const std::string& value : values) {
      if (value.empty()) return std::string(name) + " must not be empty";
      if (value.starts_with("--"))
        return std::string(name) + " requires a value, but got the flag " + value;
    }
  }
  return {};
}

// A policy from the command line overrides one from the environment.
std::string ChoosePolicy(const CLI::App& app, const GivenArguments& given, Options& options) {
  // An override from the environment does not replace a ConfigMap from the command line.
  if (given.Has(*app.get_option("--policy-configmap")) &&
      !given.Has(*app.get_option("--policy-override-configmap")))
    options.policy_override_configmap.clear();
  if (options.policy_file.empty() || options.policy_configmap.empty()) return {};
  const bool file = given.Has(*app.get_option("--policy-file"));
  const bool config_map = given.Has(*app.get_option("--policy-configmap"));
  if (file == config_map)
    return "cannot use both --policy-file " + options.policy_file + " and --policy-configmap " +
           options.policy_configmap + "; set only one of them";
  (file ? options.policy_configmap : options.policy_file).clear();
  return {};
}

std::string ValidateEndpoints(const std::string& command, const CLI::App& app,
                              const GivenArguments& given, const Options& options) {
  if (options.runtime_endpoints.size() < 2) return {};
  if (command != "report")
    return "`" + command + "` got " + std::to_string(options.runtime_endpoints.size()) +
           " --runtime-endpoint, but containers, pods, and ages are evidence about one image "
           "store; "
           "pass the flag once. Only `report` shows several image stores";
  if (!options.run.empty())
    return "cannot use both --run, which shows a recorded run, and several --runtime-endpoint, "
           "which show image stores as they are now";
  if (given.Has(*app.get_option("--kubeconfig")))
    return "cannot use --kubeconfig with several --runtime-endpoint, because pods are evidence "
           "only about the runtime of their kubelet; use it with `images` and one endpoint";
  if (options.output == Output::kName)
    return "-o name is not supported by report with several --runtime-endpoint";
  return {};
}

}  // namespace

std::string CheckDuration(const std::string& text) {
  const auto parsed = ParseDuration(text);
  if (!parsed) return parsed.error().what;
  return parsed->count() > 0 ? std::string() : "must be more than 0";
}

void AddMinimumAge(CLI::App& command, Options& options) {
  const auto check = [](const std::string& text) {
    const auto parsed = ParseDuration(text);
    return parsed ? std::string() : parsed.error().what;
  };
  command
      .add_option_function<std::string>(
          "--minimum-age",
          [&options](const std::string& text) { options.minimum_age = *ParseDuration(text); },
          "Replace every minimumAge of the policy and its rules for this command. 0s allows the "
          "removal of images of any age, for example if the disk is full before any image is old "
          "enough. Images in use, and images that the policy keeps, are not removed.")
      ->check(CLI::Validator(check, "DURATION"));
}

bool ReadsSharedFlag(const std::string& command, const std::string& flag) {
  const auto* read = ReadBy(command);
  if (read == nullptr || std::ranges::find(*read, flag) != read->end()) return true;
  return flag == "state-dir" && (command == "report" || command == "history");
}

void AddSharedFlags(CLI::App& app, Options& options) {
  AddSourceFlags(app, options);
  AddAgeFlags(app, options);
  AddOutputFlags(app, options);
  AddPodIdentity(app, options);
}

std::string ValidateFlags(const CLI::App& app, const GivenArguments& given, Options& options) {
  const CLI::App& command = *app.get_subcommands().front();
  const std::string name = command.get_name();
  if (std::string empty = EmptyValue(app, given); !empty.empty()) return empty;
  const bool difference = name == "plan" && options.diff;
  if (difference && options.policy_file.empty() && !options.try_profile)
    return "plan --diff requires --policy-file or --profile";
  if (options.output == Output::kMarkdown && name != "report" && name != "analyze" &&
      name != "plan")
    return "-o markdown is supported only by report, analyze, and plan";
  if (name == "images" && options.quiet && options.output != Output::kTable)
    return "cannot use both --quiet, which prints only image IDs, and --output; set only one of "
           "them";
  const bool in_a_pod =
      !options.pod_name.empty() || !kube::ReadEnvironment("KUBERNETES_SERVICE_HOST").empty();
  if (name == "agent" && !in_a_pod && options.kubeconfig.empty() && !options.without_kubernetes)
    return "the agent does not run in a pod, so it needs --kubeconfig FILE, or "
           "--without-kubernetes on a host without a cluster";
  if (options.output == Output::kName && (options.layers || !options.compare.empty()))
    return "-o name is not supported by analyze --layers and analyze --compare";
  std::string form = options.compare.empty() ? name : "analyze --compare";
  if (name == "policy" && command.got_subcommand("validate")) form = "policy validate";
  const auto* read = ReadBy(form);
  if (read == nullptr && !difference)
    if (std::string which = ChoosePolicy(app, given, options); !which.empty()) return which;
  const bool about_node = name == "report" || name == "history";
  std::vector<const CLI::Option*> flags;
  for (const CLI::Option* option : app.get_options())
    if ((option->get_group() == "Sources" && !about_node) ||
        option->get_group() == "Output and limits")
      if (read != nullptr || option->get_name() == "--no-headers" ||
          (name == "watch" && option->get_name() == "--output"))
        flags.push_back(option);
  const bool no_rows =
      name == "watch" || name == "explain" || name == "analyze" || name == "agent" || difference;
  std::string unread = read != nullptr ? Unread(flags, *read, form, given)
                                       : Unread(flags, {no_rows ? "" : "no-headers"},
                                                difference ? "plan --diff" : name, given);
  return unread.empty() ? ValidateEndpoints(name, app, given, options) : unread;
}

}  // namespace imagesweep
