#include "agent/cmd/man_command.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "agent/cmd/man_pages.h"
#include "agent/cmd/options.h"
#include "agent/cmd/render.h"
#include "agent/cmd/version.h"

namespace imagesweep {
namespace {

int Write(const std::vector<ManPage>& pages, const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    PrintError("cannot create the directory " + directory.string() + ": " + error.message() +
               "; choose one that you can write to");
    return kExitFailed;
  }
  for (const ManPage& page : pages) {
    const auto path = directory / (page.name + ".1");
    std::ofstream file(path);
    file << page.text;
    if (!file.flush()) {
      PrintError("cannot write " + path.string() + "; check its rights and the free disk space");
      return kExitFailed;
    }
  }
  return kExitDone;
}

}  // namespace

void AddMan(CLI::App& app, std::function<int(const std::stop_token&)>& run) {
  auto* command = app.add_subcommand("man", "Write the manual pages of all commands");
  command->group("");
  const auto directory = std::make_shared<std::string>();
  command->add_option("DIRECTORY", *directory, "Directory for the pages")->required();
  command->callback([&app, &run, directory] {
    auto pages = ManPages(DescribeCommands(app), Version());
    run = [pages = std::move(pages), directory](const std::stop_token&) {
      return Write(pages, *directory);
    };
  });
}

}  // namespace imagesweep
