#include "agent/cmd/command_line.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "agent/cmd/command_table.h"
#include "agent/cmd/render.h"
#include "agent/cmd/shared_flags.h"
#include "agent/cmd/usage.h"
#include "agent/cmd/version.h"

namespace imagesweep {
namespace {

// Without the value that a flag such as --no-events stands for.
class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_option_name(const CLI::Option* option, bool positional) const override {
    std::string name = CLI::Formatter::make_option_name(option, positional);
    constexpr std::string_view kFalse = "{false}";
    if (const auto at = name.find(kFalse); at != std::string::npos) name.erase(at, kFalse.size());
    return name;
  }
  // Without "[Exactly 1 of the following options is required]", which the description says better.
  std::string make_description(const CLI::App* app) const override {
    return app->get_name().empty() ? CLI::Formatter::make_description(app)
                                   : app->get_description() + "\n";
  }
};

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
  app.formatter(std::make_shared<HelpFormatter>());
  app.get_formatter()->column_width(34);
  AddSharedFlags(app, *options);

  std::function<int(const std::stop_token&)> run;
  DryRun dry_run;
  AddCommands(app, options, dry_run, run);
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
  const bool by_hand = std::ranges::any_of(
      dry_run.by_hand, [](const CLI::Option* flag) { return flag->count() > 0; });
  // Read at the start, before there are threads.
  const char* const ruled_out = std::getenv("IMAGESWEEP_DRY_RUN");  // NOLINT(concurrency-mt-unsafe)
  if (by_hand && !dry_run.value && ruled_out != nullptr && std::string_view(ruled_out) == "true") {
    PrintError(
        "IMAGESWEEP_DRY_RUN=true forbids changes to this node, so --dry-run=false is refused; "
        "unset the variable to continue");
    return kExitUsage;
  }
  if (by_hand || dry_run.of_agent->count() > 0) options->dry_run = dry_run.value;
  return Invocation{std::move(run)};
}

}  // namespace imagesweep
