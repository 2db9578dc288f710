#include "agent/imagestore/analysis/instruction.h"

#include <algorithm>

namespace imagesweep::layers {

namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsHex(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool IsWord(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

constexpr std::size_t kShortestHash = 16;

}  // namespace

std::string_view Instruction(std::string_view created_by) {
  constexpr std::string_view kNop = "/bin/sh -c #(nop) ", kBuildKit = "# buildkit";
  if (created_by.starts_with(kNop)) created_by.remove_prefix(kNop.size());
  if (created_by.ends_with(kBuildKit)) created_by.remove_suffix(kBuildKit.size());
  return Trimmed(created_by);
}

bool IsDockerfileInstruction(std::string_view created_by) {
  constexpr std::string_view kNop = "/bin/sh -c #(nop) ", kOldRun = "/bin/sh -c ";
  if (created_by.starts_with(kOldRun) && !created_by.starts_with(kNop)) return true;
  const std::string_view text = Instruction(created_by);
  return text.starts_with("RUN ") || text.starts_with("COPY ") || text.starts_with("ADD ");
}

std::string InstructionShape(std::string_view created_by) {
  const std::string_view text = Instruction(created_by);
  std::string shape;
  for (std::size_t at = 0; at < text.size();) {
    if (!IsWord(text[at])) {
      if (text[at] != ' ' || shape.empty() || shape.back() != ' ') shape += text[at];
      ++at;
      continue;
    }
    const auto word = text.substr(
        at,
        static_cast<std::size_t>(
            std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), IsWord) -
            text.begin()) -
            at);
    at += word.size();
    if (word.size() >= kShortestHash && std::ranges::all_of(word, IsHex)) {
      shape += '#';
      continue;
    }
    for (const char c : word) {
      if (!IsDigit(c))
        shape += c;
      else if (shape.ends_with("#."))
        shape.pop_back();  // a number after a number and a dot: a version
      else if (!shape.ends_with('#'))
        shape += '#';
    }
  }
  return shape;
}

std::optional<PatchVersion> ReadPatchVersion(std::string_view text) {
  PatchVersion version;
  const auto end =
      std::find_if_not(text.begin(), text.end(), [](char c) { return IsDigit(c) || c == '.'; });
  version.full = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  version.flavour = text.substr(version.full.size());
  if (!version.flavour.empty() && version.flavour.front() != '-') return std::nullopt;
  if (version.full.empty() || version.full.front() == '.' || version.full.back() == '.' ||
      version.full.find("..") != std::string_view::npos ||
      std::ranges::count(version.full, '.') < 2)
    return std::nullopt;
  version.minor = version.full.substr(0, version.full.rfind('.'));
  return version;
}

std::optional<VersionSetting> ReadVersionSetting(std::string_view created_by) {
  constexpr std::string_view kEnv = "ENV ", kVersion = "_VERSION";
  std::string_view text = Instruction(created_by);
  if (!text.starts_with(kEnv)) return std::nullopt;
  text = Trimmed(text.substr(kEnv.size()));
  const auto end = text.find_first_of("= ");
  if (end == std::string_view::npos) return std::nullopt;
  VersionSetting setting;
  setting.name = text.substr(0, end);
  if (!setting.name.ends_with(kVersion)) return std::nullopt;
  text = Trimmed(text.substr(end + 1));
  const auto version = ReadPatchVersion(text.substr(0, text.find(' ')));
  if (!version || !version->flavour.empty()) return std::nullopt;
  setting.minor = version->minor;
  setting.full = version->full;
  return setting;
}

}  // namespace imagesweep::layers
