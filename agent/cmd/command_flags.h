#pragma once

#include <CLI/CLI.hpp>

#include <vector>

#include "agent/cmd/options.h"

// One function per command. Each adds the command with its help and flags, and returns it.

namespace imagesweep {

// --dry-run of the commands that have it. Must outlive the parsing.
struct DryRun {
  bool value = true;
  const CLI::Option* of_agent = nullptr;
  std::vector<const CLI::Option*> by_hand;  // of the commands that change the node
};

CLI::App* AddAgent(CLI::App& app, Options& options, DryRun& dry_run);
CLI::App* AddStatus(CLI::App& app, Options& options);
CLI::App* AddImages(CLI::App& app, Options& options);
CLI::App* AddPlan(CLI::App& app, Options& options);
CLI::App* AddAnalyze(CLI::App& app, Options& options);
CLI::App* AddReport(CLI::App& app, Options& options);
CLI::App* AddHistory(CLI::App& app);
CLI::App* AddSweep(CLI::App& app, Options& options, DryRun& dry_run);
CLI::App* AddRestore(CLI::App& app, Options& options, DryRun& dry_run);
CLI::App* AddEnsureSpace(CLI::App& app, Options& options, DryRun& dry_run);
CLI::App* AddWatch(CLI::App& app, Options& options);
CLI::App* AddExplain(CLI::App& app, Options& options);
CLI::App* AddDf(CLI::App& app, Options& options);
CLI::App* AddPolicy(CLI::App& app);
CLI::App* AddPolicyValidate(CLI::App& policy, Options& options);
CLI::App* AddPolicyDefaults(CLI::App& policy);
CLI::App* AddPolicyReference(CLI::App& policy);
CLI::App* AddPolicySchema(CLI::App& policy);
CLI::App* AddIndex(CLI::App& app, Options& options);
CLI::App* AddVersion(CLI::App& app);

}  // namespace imagesweep
