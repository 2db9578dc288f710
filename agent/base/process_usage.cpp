#include "agent/base/process_usage.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/parse_number.h"

namespace imagesweep {
namespace {

Result<std::string> ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file || text.empty()) return Error{ErrorKind::kUnavailable, "cannot read " + path.string()};
  return text;
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  constexpr std::string_view kBlank = " \t\n";
  for (auto begin = text.find_first_not_of(kBlank); begin != std::string_view::npos;
       begin = text.find_first_not_of(kBlank)) {
    text.remove_prefix(begin);
    words.push_back(text.substr(0, text.find_first_of(kBlank)));
    text.remove_prefix(words.back().size());
  }
  return words;
}

std::optional<std::uint64_t> Number(std::string_view word) {
  return ParseNumber<std::uint64_t>(word);
}

// Word number `at` after `name`, on the line that begins with `name`.
std::optional<std::string_view> WordAfter(std::string_view text, std::string_view name,
                                          std::size_t at) {
  const auto begin = text.starts_with(name) ? 0 : text.find("\n" + std::string(name));
  if (begin == std::string_view::npos) return std::nullopt;
  const auto line = text.substr(begin + (begin == 0 ? 0 : 1));
  const auto words = Words(line.substr(0, line.find('\n')).substr(name.size()));
  return at < words.size() ? std::optional(words[at]) : std::nullopt;
}

}  // namespace

Result<ProcessUsage> ReadProcessUsage(const std::filesystem::path& proc) {
  const auto self = proc / "self";
  const auto stat = ReadFile(self / "stat");
  const auto status = ReadFile(self / "status");
  const auto limits = ReadFile(self / "limits");
  const auto system = ReadFile(proc / "stat");
  for (const auto* file : {&stat, &status, &limits, &system})
    if (!*file) return file->error();

  // The program's name is in parentheses and may contain any text.  Field 3 follows.
  const auto name_end = stat->rfind(')');
  if (name_end == std::string::npos)
    return Error{ErrorKind::kInvalid, "self/stat has no program name"};
  const auto fields = Words(std::string_view(*stat).substr(name_end + 1));
  const auto field = [&](std::size_t number) {
    return number - 3 < fields.size() ? Number(fields[number - 3]) : std::nullopt;
  };
  const auto kilobytes = [&](std::string_view name) {
    const auto word = WordAfter(*status, name, 0);
    return word ? Number(*word) : std::nullopt;
  };
  const auto user = field(14);
  const auto system_time = field(15);
  const auto start = field(22);
  const auto boot_word = WordAfter(*system, "btime", 0);
  const auto boot = boot_word ? Number(*boot_word) : std::nullopt;
  const auto resident = kilobytes("VmRSS:");
  const auto size = kilobytes("VmSize:");
  const auto limit = WordAfter(*limits, "Max open files", 0);
  if (!user || !system_time || !start || !boot || !resident || !size || !limit ||
      (*limit != "unlimited" && !Number(*limit)))
    return Error{ErrorKind::kInvalid, "unknown format of the files in /proc/self"};

  std::error_code problem;
  std::uint64_t open = 0;
  for (std::filesystem::directory_iterator at(self / "fd", problem), end; !problem && at != end;
       at.increment(problem))
    ++open;
  if (problem) return Error{ErrorKind::kUnavailable, "cannot read self/fd: " + problem.message()};

  const auto per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  ProcessUsage usage;
  usage.cpu_seconds = static_cast<double>(*user + *system_time) / per_second;
  usage.start_time_seconds = static_cast<double>(*boot) + static_cast<double>(*start) / per_second;
  usage.resident_bytes = *resident * 1024;
  usage.virtual_bytes = *size * 1024;
  usage.open_files = open;
  usage.max_files = Number(*limit);
  return usage;
}

}  // namespace imagesweep
