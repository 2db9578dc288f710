#include "agent/cli/render.h"

#include <cstdio>

#include "agent/report/printable.h"

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
  return "run refused, nothing removed: " + refusal.source +
         " cannot be trusted: " + Printable(refusal.error.what);
}

std::string BlindText(const Refusal& refusal) {
  std::string what = refusal.source + " cannot be trusted";
  if (refusal.source == "runtime") what = "cannot reach the runtime";
  if (refusal.source == "images" || refusal.source == "containers")
    what = "cannot read the runtime's " + refusal.source;
  if (refusal.source == "pods") what = "cannot read this node's pods";
  return what + ": " + Printable(refusal.error.what);
}

}  // namespace imagesweep
