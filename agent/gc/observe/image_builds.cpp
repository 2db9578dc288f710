#include "agent/gc/observe/image_builds.h"

#include <string_view>
#include <utility>

#include "agent/imagestore/analysis/instruction.h"

namespace imagesweep {
namespace {

std::string LabelOf(const BuildFacts& facts, const char* key) {
  const auto found = facts.labels.find(key);
  return found == facts.labels.end() ? std::string() : found->second;
}

// "|2 A=1 B=2 /bin/sh -c make" is "make".  Where the arguments end is only known with this shell.
std::string WithoutBuildArguments(std::string_view command) {
  constexpr std::string_view kShell = "/bin/sh -c ";
  if (!command.starts_with('|')) {
    if (command.starts_with(kShell)) command.remove_prefix(kShell.size());
    return std::string(command);
  }
  const auto shell = command.find(kShell);
  return shell == std::string_view::npos ? "…" : std::string(command.substr(shell + kShell.size()));
}

std::string StepOf(std::string_view created_by) {
  constexpr std::string_view kRun = "RUN ";
  std::string_view text = layers::Instruction(created_by);
  const bool run = text.starts_with(kRun);
  if (run) text.remove_prefix(kRun.size());
  const bool old_run = text.starts_with('|') || text.starts_with("/bin/sh -c ");
  std::string step = run || old_run ? "RUN " + WithoutBuildArguments(text) : std::string(text);
  if (step.size() <= kMaxStepBytes) return step;
  std::size_t end = kMaxStepBytes;
  while (end > 0 && (static_cast<unsigned char>(step[end]) & 0xC0) == 0x80) --end;
  return step.substr(0, end) + "…";
}

}  // namespace

std::vector<std::string> StepsOf(const std::vector<std::string>& created_by) {
  std::vector<std::string> steps;
  for (const std::string& line : created_by)
    if (layers::IsDockerfileInstruction(line) || line.starts_with('|'))
      steps.push_back(StepOf(line));
  if (steps.size() > kMaxSteps)
    steps.erase(steps.begin(), steps.end() - static_cast<std::ptrdiff_t>(kMaxSteps));
  return steps;
}

Result<std::vector<ImageBuild>> ReadBuilds(const Plan& plan, const ByImage<Image>& images,
                                           BuildReader& reader, const std::stop_token& stop) {
  std::vector<ImageBuild> builds;
  for (const ImagePos at : plan.removals) {
    if (images[at].origin.can_be_pulled()) continue;
    const auto facts = reader.ReadBuild(images[at], stop);
    if (!facts) return facts.error();
    ImageBuild build{at,
                     LabelOf(*facts, "org.opencontainers.image.source"),
                     LabelOf(*facts, "org.opencontainers.image.revision"),
                     LabelOf(*facts, "com.docker.compose.project"),
                     LabelOf(*facts, "com.docker.compose.service"),
                     StepsOf(facts->created_by)};
    if (!build.empty()) builds.push_back(std::move(build));
  }
  return builds;
}

}  // namespace imagesweep
