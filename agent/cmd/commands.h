#pragma once

#include <stop_token>

#include "agent/cmd/options.h"

// One function per command.  Each prints its result to stdout and everything else to stderr, and
// returns the exit code.

namespace imagesweep {

int RunAgent(const Options& options, const std::stop_token& stop);
int RunStatus(const Options& options, const std::stop_token& stop);
int RunImages(const Options& options, const std::stop_token& stop);
int RunPlan(const Options& options, const std::stop_token& stop);
int RunExplain(const Options& options, const std::stop_token& stop);
int RunSweep(const Options& options, const std::stop_token& stop);
int RunEnsureSpace(const Options& options, const std::stop_token& stop);
int RunWatch(const Options& options, const std::stop_token& stop);
int RunPolicyValidate(const Options& options);
int RunPolicyDefaults();
int RunPolicyReference();
int RunPolicySchema();
int RunReport(const Options& options, const std::stop_token& stop);
// report with several --runtime-endpoint.
int RunStoresReport(const Options& options, const std::stop_token& stop);
int RunHistory(const Options& options);
int RunRestore(const Options& options, const std::stop_token& stop);
int RunAnalyze(const Options& options, const std::stop_token& stop);
int RunAnalyzeLayers(const Options& options, const std::stop_token& stop);
int RunCompare(const Options& options);
int RunDf(const Options& options, const std::stop_token& stop);
// Publishes the workloads for all agents, or stands by, until `stop`.
int RunIndex(const Options& options, const std::stop_token& stop);
int RunVersion(const Options& options);

}  // namespace imagesweep
