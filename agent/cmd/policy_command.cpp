#include <fstream>
#include <iostream>
#include <iterator>

#include "agent/cmd/commands.h"
#include "agent/cmd/render.h"
#include "agent/cmd/version.h"
#include "agent/daemon/policy_store.h"
#include "agent/gc/plan/policy_warnings.h"
#include "agent/policy/parse.h"
#include "agent/policy/render.h"
#include "agent/report/render/yaml.h"

namespace imagesweep {

int RunPolicyValidate(const Options& options) {
  std::string text;
  if (options.policy_to_check == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    auto read = ReadTextFile(options.policy_to_check);
    if (!read) {
      PrintError(read.error().what);
      return CodeFor(read.error());
    }
    text = *std::move(read);
  }
  const auto policy = ParsePolicy(text);
  if (!policy) {
    PrintError(options.policy_to_check + " is not a valid policy:\n" + policy.error().what);
    return kExitUsage;
  }
  for (const auto& warnings : {RuleWarnings(*policy), PatternWarnings(*policy)})
    for (const std::string& warning : warnings) std::cerr << "Warning: " << warning << "\n";
  return PrintResult(options.policy_to_check + " is valid\n") ? kExitDone : kExitFailed;
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
