#include "agent/cmd/render.h"

#include <cstdio>

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

TextOptions TextOptionsOf(const Options& options) {
  return {options.output == Output::kWide, !options.no_headers};
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

std::string BlindText(const Refusal& refusal) {
  return (refusal.source == "runtime" ? "cannot reach the runtime" : CannotRead(refusal.source)) +
         ": " + Printable(refusal.error.what);
}

}  // namespace imagesweep
