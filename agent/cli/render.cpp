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

TextOptions TextOptionsOf(const Options& options) {
  return {options.output == Output::kWide, !options.no_headers};
}

std::string RefusalText(const Refusal& refusal) {
  return "refused, nothing was removed: " + refusal.source +
         " cannot be trusted: " + Printable(refusal.error.what);
}

}  // namespace imagesweep
