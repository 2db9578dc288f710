#include "agent/cmd/completion_command.h"

#include <memory>
#include <string>

#include "agent/cmd/completion.h"
#include "agent/cmd/options.h"
#include "agent/cmd/render.h"

namespace imagesweep {

void AddCompletion(CLI::App& app, std::function<int(const std::stop_token&)>& run) {
  auto* command = app.add_subcommand("completion", "Print a completion script for a shell");
  const auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "Shell: bash, zsh, or fish")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->required();
  command->callback([&app, &run, shell] {
    const CommandInfo program = DescribeCommands(app);
    std::string script = *shell == "bash"  ? BashCompletion(program)
                         : *shell == "zsh" ? ZshCompletion(program)
                                           : FishCompletion(program);
    run = [script = std::move(script)](const std::stop_token&) -> int {
      return PrintResult(script) ? kExitDone : kExitFailed;
    };
  });
}

}  // namespace imagesweep
