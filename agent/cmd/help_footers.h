#pragma once

#include <string>
#include <string_view>

namespace imagesweep {

// The text below the options in the help of a command: notes, examples, and exit codes.
struct HelpFooter {
  std::string_view command;  // "policy validate"
  std::string_view text;
};

inline constexpr HelpFooter kHelpFooters[] = {
    {"agent", R"(Examples:
  imagesweep agent --policy-file /etc/imagesweep/policy.yaml --without-kubernetes
  imagesweep agent --policy-configmap imagesweep-system/imagesweep-policy --dry-run

Exit codes:
  0  The agent stopped on SIGTERM or SIGINT.
  1  The agent could not start, for example because the listen address is in use.
  2  The command line is invalid.
)"},
    {"status",
     R"(The command asks the running agent over HTTP. It does not read the runtime,
Kubernetes, or the state directory.

Examples:
  imagesweep status
  imagesweep status --address 127.0.0.1:9090 -o json

Exit codes:
  0  The agent is healthy.
  1  The agent is unhealthy, or the command cannot reach it.
  2  The command line is invalid.
)"},
    {"images", R"(Examples:
  imagesweep images 'registry.example/shop/**' --filter in-use=false --sort -size
  crictl inspecti $(imagesweep images -q --filter verdict=Remove)

Exit codes:
  0  The images are listed, even if no image matches the patterns and filters.
  1  A NAME without wildcards matches no image, or the runtime or the Kubernetes API
     cannot be read.
  2  The command line or the policy is invalid.
)"},
    {"plan", R"(The command removes nothing.

Examples:
  imagesweep plan --policy-file policy.yaml -o wide
  imagesweep plan --diff --policy-file new.yaml --policy-configmap imagesweep-system/imagesweep-policy

Exit codes:
  0  The plan is printed.
  1  The runtime or the Kubernetes API cannot be read.
  2  The command line or the policy is invalid.
)"},
    {"analyze", R"(Examples:
  imagesweep analyze --policy-file policy.yaml
  imagesweep analyze --layers --limit 20
  imagesweep analyze --compare before.json after.json

Exit codes:
  0  The analysis is printed.
  1  The runtime, the Kubernetes API, or a document cannot be read.
  2  The command line, the policy, or a document is invalid.
)"},
    {"report",
     R"(The command reads only the state directory. If you repeat --runtime-endpoint, it
reads the image stores of these runtimes instead, and shows their images, the
containers that use them, the images that several stores hold, and a total. It
does not read Kubernetes then.

Examples:
  imagesweep report
  imagesweep report --run 01a1ff9fb8 -o markdown
  imagesweep report --runtime-endpoint unix:///run/docker.sock --runtime-endpoint unix:///run/containerd/containerd.sock

Exit codes:
  0  The report is printed.
  1  The run is not in the history, or the history cannot be read. With several
     endpoints: an image store cannot be read. The report shows the others.
  2  The command line is invalid, or two endpoints are the same image store.
)"},
    {"history",
     R"(The command reads only the state directory. Consecutive runs that had
nothing to do share one line. The TIMES column shows their number.

Examples:
  imagesweep history
  imagesweep history -o json --state-dir /var/lib/imagesweep

Exit codes:
  0  The history is printed, even if it has no runs.
  1  The history cannot be read.
  2  The command line is invalid.
)"},
    {"sweep", R"(The command ignores dryRun of the policy. Only its own --dry-run flag counts.

Examples:
  imagesweep sweep --policy-file policy.yaml
  imagesweep sweep --policy-file policy.yaml --dry-run=false

Exit codes:
  0  The run, or the dry run, is complete.
  1  The run was aborted or interrupted, or a removal failed.
  2  The command line or the policy is invalid.
)"},
    {"restore",
     R"(The command does not need Kubernetes. It does not change images that are
already present, so you can run it again.

Examples:
  imagesweep restore --last
  imagesweep restore --image registry.example/shop/api:v1 --dry-run=false

Exit codes:
  0  All selected images are present or restored. In a dry run, all can be restored.
  1  At least one image cannot be restored, or the runtime or the history cannot be read.
  2  The command line or the pull secret is invalid.
)"},
    {"ensure-space",
     R"(The command removes images in this order: dangling images, superseded images,
images that a rule removes, images older than maximumAge, and then all other
unused images, least recently used first. Images that the policy protects are not
removed. The minimumAge, limits, and suspend of the policy apply. Its windows and
confirmRuns do not.

Examples:
  imagesweep ensure-space 20Gi
  imagesweep ensure-space 20Gi --dry-run=false --minimum-age 0s

Exit codes:
  0  SIZE is available. In a dry run, SIZE would be available.
  1  SIZE is not available, or the run was aborted.
  2  The command line or the policy is invalid.
)"},
    {"watch",
     R"(The screen also shows the next run of the agent. For this, the agent must run
with the same --node-name as the command, and serve its status page. The keys
work if input and output are terminals. If the output is not a terminal, the
command prints one line per change.

Examples:
  imagesweep watch
  imagesweep watch --every 1s --without-kubernetes

Keys:
  q  Quit, as Ctrl-C does.
  s  Sort the images by name, size (largest first), age (oldest first), or last
     use (longest ago first). Each press selects the next order.
  /  Search: show only images with the typed text in a name. Enter keeps the
     filter, and Esc shows all images again.
  ?  Show the keys on the last line, or hide them.

Exit codes:
  0  The command stopped on q, SIGTERM, or SIGINT.
  1  The runtime or the Kubernetes API cannot be read.
  2  The command line or the policy is invalid.
)"},
    {"explain", R"(Examples:
  imagesweep explain nginx:1.27
  imagesweep explain registry.example/shop/api:v1 -o json

Exit codes:
  0  The explanation is printed.
  1  The image is not found or not unique, or the runtime or the Kubernetes API cannot be read.
  2  The command line or the policy is invalid.
)"},
    {"df",
     R"(The command does not need Kubernetes and removes nothing. Sizes are exact if
imagesweep can read the layers from the runtime or its files. Otherwise, sizes
are upper bounds, and the output says so.

Examples:
  imagesweep df
  imagesweep df --if-removed nginx:1.27 redis:7.2

Exit codes:
  0  The disk usage is printed.
  1  The runtime cannot be read, or the node lacks an image that --if-removed names.
  2  The command line is invalid.
)"},
    {"policy", R"(Examples:
  imagesweep policy defaults > policy.yaml
  imagesweep policy validate policy.yaml

Exit codes:
  0  The text is printed, or the policy is valid.
  1  The policy cannot be read.
  2  The command line or the policy is invalid.
)"},
    {"policy validate", R"(If the document is a ConfigMap, the command validates the policy at
--policy-key. Line numbers refer to the whole document if the ConfigMap is in
YAML and has the policy as a literal block (policy.yaml: |). Otherwise, they
refer to the text of the policy.

Examples:
  imagesweep policy validate policy.yaml
  kubectl get configmap my-policy -o yaml | imagesweep policy validate -

Exit codes:
  0  The policy is valid. Warnings are printed to stderr.
  1  The policy cannot be read.
  2  The command line or the policy is invalid.
)"},
    {"policy defaults", R"(Examples:
  imagesweep policy defaults
  imagesweep policy defaults > policy.yaml

Exit codes:
  0  The policy is printed.
  1  The output cannot be written.
  2  The command line is invalid.
)"},
    {"policy reference", R"(Examples:
  imagesweep policy reference
  imagesweep policy reference > policy.md

Exit codes:
  0  The reference is printed.
  1  The output cannot be written.
  2  The command line is invalid.
)"},
    {"policy schema", R"(Examples:
  imagesweep policy schema
  imagesweep policy schema > policy.schema.json

Exit codes:
  0  The schema is printed.
  1  The output cannot be written.
  2  The command line is invalid.
)"},
    {"index", R"(One instance leads and publishes the index. Other instances stand by.

Examples:
  imagesweep index --index-name imagesweep-system/imagesweep-workloads
  imagesweep index --index-name imagesweep-system/imagesweep-workloads --kubeconfig ~/.kube/config

Exit codes:
  0  The command stopped on SIGTERM or SIGINT.
  1  The command could not start, for example because it found no cluster.
  2  The command line is invalid.
)"},
    {"completion", R"(The script completes commands, flags, and their values.

Examples:
  source <(imagesweep completion bash)
  imagesweep completion fish > ~/.config/fish/completions/imagesweep.fish

Exit codes:
  0  The script is printed.
  1  The output cannot be written.
  2  The command line is invalid.
)"},
    {"version", R"(Examples:
  imagesweep version
  imagesweep version -o json

Exit codes:
  0  The version is printed.
  1  The output cannot be written.
  2  The command line is invalid.
)"},
};

// Empty for a command without a footer.
inline std::string HelpFooterOf(std::string_view command) {
  for (const HelpFooter& footer : kHelpFooters)
    if (footer.command == command) return std::string(footer.text);
  return {};
}

}  // namespace imagesweep
