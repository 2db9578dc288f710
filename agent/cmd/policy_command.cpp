#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>

#include "agent/cmd/commands.h"
#include "agent/cmd/render.h"
#include "agent/cmd/version.h"
#include "agent/daemon/policy_store.h"
#include "agent/gc/plan/policy_warnings.h"
#include "agent/policy/manifest.h"
#include "agent/policy/parse.h"
#include "agent/policy/render.h"
#include "agent/policy/validation_errors.h"
#include "agent/report/render/yaml.h"

namespace imagesweep {

namespace {

// What a policy was read from, for its verdict: "policy.yaml", or a key of a ConfigMap in that
// file.
std::string Subject(const std::string& file, const Options& options,
                    const std::optional<ManifestPolicy>& in_manifest) {
  if (!in_manifest) return file;
  const std::string& name = in_manifest->config_map;
  return file + ": key " + Quoted(options.policy_key) + " of ConfigMap" +
         (name.empty() ? "" : " " + Quoted(name));
}

}  // namespace

int RunPolicyValidate(const Options& options) {
  const bool from_input = options.policy_to_check == "-";
  const std::string file = from_input ? "standard input" : options.policy_to_check;
  std::string text;
  if (from_input) {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    auto read = ReadTextFile(options.policy_to_check);
    if (!read) {
      PrintError(read.error().what);
      return CodeFor(read.error());
    }
    text = *std::move(read);
  }
  const auto found = FindManifestPolicy(text, options.policy_key);
  if (!found) {
    PrintError(file + ": " + found.error().what);
    return kExitUsage;
  }
  const std::optional<ManifestPolicy>& manifest = *found;
  const auto policy = manifest ? ParsePolicy(manifest->text, {}, manifest->lines_before.value_or(0))
                               : ParsePolicy(text);
  const std::string subject = Subject(file, options, manifest);
  if (!policy) {
    const bool own_lines = manifest && !manifest->lines_before;
    PrintError(subject + " is not a valid policy" +
               (own_lines ? " (line numbers refer to the policy text)" : "") + ":\n" +
               policy.error().what);
    return kExitUsage;
  }
  for (const auto& warnings : {RuleWarnings(*policy), PatternWarnings(*policy)})
    for (const std::string& warning : warnings) std::cerr << "Warning: " << warning << "\n";
  return PrintResult(subject + " is valid\n") ? kExitDone : kExitFailed;
}

int RunPolicyDefaults() {
  return PrintResult(DefaultPolicyYaml()) ? kExitDone : kExitFailed;
}

int RunPolicyReference() {
  return PrintResult(PolicyReferenceMarkdown()) ? kExitDone : kExitFailed;
}

int RunPolicySchema() {
  return PrintResult(PolicyJsonSchema() + "\n") ? kExitDone : kExitFailed;
}

int RunVersion(const Options& options) {
  const std::string json =
      "{\n  \"apiVersion\": \"imagesweep/v1alpha1\",\n  \"kind\": \"Version\",\n  \"version\": \"" +
      Version() + "\",\n  \"revision\": \"" + Revision() + "\",\n  \"criVersion\": \"v1\"\n}";
  std::string text;
  if (options.output == Output::kJson) {
    text = json + "\n";
  } else if (options.output == Output::kYaml) {
    text = JsonToYaml(json) + "\n";
  } else {
    text = VersionLine() + "\n";
  }
  return PrintResult(text) ? kExitDone : kExitFailed;
}

}  // namespace imagesweep
