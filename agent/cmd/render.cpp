#include "agent/cmd/render.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>

#include "agent/kube/client/identity.h"
#include "agent/report/documents/text.h"
#include "agent/report/render/printable.h"

namespace imagesweep {

bool PrintResult(const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  return std::fflush(stdout) == 0 && written;
}

void PrintError(const std::string& what) {
  std::fprintf(stderr, "imagesweep: %s\n", what.c_str());
}

ExitCode CodeFor(const Error& error) {
  return error.kind == ErrorKind::kInvalid ? kExitUsage : kExitFailed;
}

ExitCode PrintOutcome(const Result<std::string>& out) {
  if (out) return PrintResult(*out) ? kExitDone : kExitFailed;
  PrintError(out.error().what);
  return CodeFor(out.error());
}

std::size_t OutputWidth(int fd, const std::string& columns) {
  std::size_t width = 0;
  const char* const end = columns.data() + columns.size();
  const auto read = std::from_chars(columns.data(), end, width);
  if (read.ec == std::errc() && read.ptr == end) return width;
  winsize size{};
  if (isatty(fd) == 0 || ioctl(fd, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

TextOptions TextOptionsOf(const Options& options) {
  const bool wide = options.output == Output::kWide;
  return {wide, !options.no_headers,
          wide ? 0 : OutputWidth(STDOUT_FILENO, kube::ReadEnvironment("COLUMNS"))};
}

std::string PageText(const Options& options, const Page& page) {
  return options.output == Output::kMarkdown ? ToMarkdown(page)
                                             : ToText(page, TextOptionsOf(options).width);
}

void PrintWarnings(const Options& options, const Report& report) {
  const bool table = options.output == Output::kTable || options.output == Output::kWide;
  if (options.output != Output::kName && !(table && options.no_headers)) return;
  if (report.evidence.without_kubernetes)
    PrintError(
        "without Kubernetes: images that pods need, but no container uses yet, are not detected");
  for (const std::string& warning : report.warnings) PrintError("warning: " + Printable(warning));
}

std::string RefusalText(const Refusal& refusal) {
  return "run aborted, nothing removed: " + CannotRead(refusal.source) + ": " +
         Printable(refusal.error.what);
}

std::string ReadOnlyRefusalText(const Refusal& refusal) {
  return (refusal.source == "runtime" ? "cannot reach the runtime" : CannotRead(refusal.source)) +
         ": " + Printable(refusal.error.what);
}

}  // namespace imagesweep
