#include "agent/cmd/command_table.h"

#include <string>
#include <type_traits>

#include "agent/cmd/commands.h"
#include "agent/cmd/completion_command.h"
#include "agent/cmd/help_footers.h"
#include "agent/cmd/man_command.h"

namespace imagesweep {
namespace {

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

void AddCommands(CLI::App& app, const std::shared_ptr<Options>& options, DryRun& dry_run,
                 std::function<int(const std::stop_token&)>& run) {
  const auto command = [&](CLI::App* added, auto* function) {
    added->callback([&run, function, options] {
      run = [function, options](const std::stop_token& stop) {
        using Function = decltype(function);
        if constexpr (std::is_invocable_v<Function, const Options&, const std::stop_token&>)
          return function(*options, stop);
        else if constexpr (std::is_invocable_v<Function, const Options&>)
          return function(*options);
        else
          return function();
      };
    });
  };
  command(AddAgent(app, *options, dry_run), RunAgent);
  command(AddStatus(app, *options), RunStatus);
  command(AddImages(app, *options), RunImages);
  command(AddPlan(app, *options), RunPlan);
  command(AddAnalyze(app, *options), RunAnalyze);
  command(AddReport(app, *options), RunReport);
  command(AddHistory(app), RunHistory);
  command(AddSweep(app, *options, dry_run), RunSweep);
  command(AddRestore(app, *options, dry_run), RunRestore);
  command(AddEnsureSpace(app, *options, dry_run), RunEnsureSpace);
  command(AddWatch(app, *options), RunWatch);
  command(AddExplain(app, *options), RunExplain);
  command(AddDf(app, *options), RunDf);
  CLI::App& policy = *AddPolicy(app);
  command(AddPolicyValidate(policy, *options), RunPolicyValidate);
  command(AddPolicyDefaults(policy), RunPolicyDefaults);
  command(AddPolicyReference(policy), RunPolicyReference);
  command(AddPolicySchema(policy), RunPolicySchema);
  command(AddIndex(app, *options), RunIndex);
  command(AddVersion(app), RunVersion);
  AddCompletion(app, run);
  AddMan(app, run);
  AddFooters(app, "");
}

}  // namespace imagesweep
