#include "agent/cmd/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "agent/base/quantity.h"
#include "agent/report/documents/text.h"
#include "agent/report/render/printable.h"

namespace imagesweep {
namespace {

constexpr std::size_t kBar = 20;
constexpr std::size_t kUsualWidth = 80;

std::size_t TerminalWidth() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualWidth;
  return size.ws_col;
}

}  // namespace

std::string ProgressBar(std::size_t done, std::size_t all, std::uint64_t done_bytes,
                        std::uint64_t all_bytes, const std::string& image, std::size_t width) {
  const std::size_t filled = all == 0 ? kBar : std::min(kBar, kBar * done / all);
  const std::string count = std::to_string(done);
  const std::string total = std::to_string(all);
  std::string line = "[" + std::string(filled, '#') + std::string(kBar - filled, '-') + "]  " +
                     std::string(total.size() - std::min(total.size(), count.size()), ' ') + count +
                     "/" + total + (all == 1 ? " image  " : " images  ") + HumanBytes(done_bytes) +
                     "/" + HumanBytes(all_bytes) + "  " + Printable(image);
  // A line that wraps cannot be overwritten.
  if (line.size() >= width) line.resize(width > 0 ? width - 1 : 0);
  return line;
}

Progress::~Progress() {
  if (shown_ && bar_) std::fputc('\n', stderr);
}

void Progress::Watch(Executor::Hooks& hooks) {
  hooks.on_begin = [this](const Plan& plan, const Observation& seen) {
    all_ = plan.removals.size();
    for (const auto at : plan.removals) all_bytes_ += seen.images[at].size_bytes;
  };
  hooks.on_outcome = [this](const Outcome& outcome, const Image& image) { Show(outcome, image); };
}

void Progress::Show(const Outcome& outcome, const Image& image) {
  shown_ = true;
  ++done_;
  if (outcome.kind == OutcomeKind::kRemoved) done_bytes_ += image.size_bytes;
  if (!bar_) {
    std::fprintf(stderr, "%s %s\n", std::string(ToString(outcome.kind)).c_str(),
                 Printable(ShownName(image)).c_str());
    return;
  }
  const std::string bar =
      ProgressBar(done_, all_, done_bytes_, all_bytes_, ShownName(image), TerminalWidth());
  std::fprintf(stderr, "\r\x1b[2K%s", bar.c_str());
  std::fflush(stderr);
}

}  // namespace imagesweep
