#include <cerrno>
#include <fstream>
#include <system_error>

#include "agent/cmd/commands.h"
#include "agent/cmd/render.h"
#include "agent/report/documents/compare.h"
#include "agent/report/render/yaml.h"

// analyze --compare: compares two documents of other commands.  Needs no node.

namespace imagesweep {
namespace {

// Far more than a report of the largest node; stops at devices that never end.
constexpr std::size_t kMaxBytes = std::size_t{256} << 20;

Result<NamedDocument> Load(const std::string& file) {
  const auto unreadable = [&](const std::string& why) {
    return Error{ErrorKind::kNotFound, "cannot read " + file + ": " + why};
  };
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in) return unreadable(std::generic_category().message(errno));
  NamedDocument document{file, {}};
  char part[1 << 16];
  while (in.read(part, sizeof part) || in.gcount() > 0) {
    document.text.append(part, static_cast<std::size_t>(in.gcount()));
    if (document.text.size() > kMaxBytes) return unreadable("it is larger than 256 MiB");
  }
  if (in.bad()) return unreadable(std::generic_category().message(errno == 0 ? EIO : errno));
  return document;
}

Result<std::string> Render(const Options& options) {
  const auto before = Load(options.compare.at(0));
  if (!before) return before.error();
  const auto after = Load(options.compare.at(1));
  if (!after) return after.error();
  const auto comparison = CompareDocuments(*before, *after);
  if (!comparison) return comparison.error();
  switch (options.output) {
    case Output::kJson:
      return ComparisonJson(*comparison) + "\n";
    case Output::kYaml:
      return JsonToYaml(ComparisonJson(*comparison)) + "\n";
    case Output::kMarkdown:
    case Output::kTable:
    case Output::kWide:
    case Output::kName:
      break;
  }
  return PageText(options, MakeComparisonPage(*comparison));
}

}  // namespace

int RunCompare(const Options& options) {
  return PrintOutcome(Render(options));
}

}  // namespace imagesweep
