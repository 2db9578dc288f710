#include "agent/cmd/terminal.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>

namespace imagesweep {
namespace {

// The alternate screen without a cursor, on which long lines do not wrap.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view kLeave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

// Signals that end the process at once.
constexpr std::array kFatal{SIGHUP, SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

// For signal handlers, which reach only static data.  Written while no handler is installed.
struct Shared {
  int input = -1, output = -1, wake = -1;
  termios settings{};  // of `input`, as it was
  std::array<struct sigaction, kFatal.size()> fatal{};
  struct sigaction resized {};
};
Shared shared;
std::atomic<bool> entered = false;
static_assert(std::atomic<bool>::is_always_lock_free);  // or no handler may use it

// False while another job of the shell has the terminal, whose settings are not ours then.
bool InForeground(int fd) {
  const pid_t group = tcgetpgrp(fd);
  return group == -1 || group == getpgrp();
}

bool Write(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// Async-signal-safe.
void Leave() {
  if (!entered.exchange(false)) return;
  if (shared.input >= 0 && InForeground(shared.input))
    tcsetattr(shared.input, TCSANOW, &shared.settings);
  Write(shared.output, kLeave);
}

void OnFatal(int signal) {
  Leave();
  for (std::size_t i = 0; i < kFatal.size(); ++i)
    if (kFatal[i] == signal) sigaction(signal, &shared.fatal[i], nullptr);
  raise(signal);  // blocked until this handler returns
}

void OnResize(int /*signal*/) {
  const int error = errno;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(shared.wake, &one, sizeof one);
  errno = error;
}

void Handle(int signal, void (*handler)(int), struct sigaction& previous) {
  sigaction(signal, nullptr, &previous);
  // nohup ignores SIGHUP.
  if (previous.sa_handler == SIG_IGN && signal == SIGHUP) return;
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

}  // namespace

Terminal::Terminal(int input, int output, int wake) : input_(input), output_(output) {
  shared.output = output;
  shared.wake = wake;
  shared.input = input >= 0 && tcgetattr(input, &shared.settings) == 0 ? input : -1;
  for (std::size_t i = 0; i < kFatal.size(); ++i) Handle(kFatal[i], OnFatal, shared.fatal[i]);
  Handle(SIGWINCH, OnResize, shared.resized);
  Enter();
}

Terminal::~Terminal() {
  Leave();
  for (std::size_t i = 0; i < kFatal.size(); ++i) sigaction(kFatal[i], &shared.fatal[i], nullptr);
  sigaction(SIGWINCH, &shared.resized, nullptr);
}

void Terminal::Enter() const {
  entered = true;
  if (shared.input >= 0) {
    termios settings = shared.settings;
    settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // with ISIG: Ctrl-C is SIGINT
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    settings.c_cc[VSUSP] = _POSIX_VDISABLE;  // Ctrl-Z becomes a key, which restores the terminal
    tcsetattr(shared.input, TCSANOW, &settings);
  }
  Write(output_, kEnter);
}

void Terminal::Suspend() {
  Leave();
  raise(SIGTSTP);
  Enter();
}

TerminalSize Terminal::Size() const {
  winsize size{};
  if (ioctl(output_, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

bool Terminal::Show(std::string_view lines) const {
  std::string text = "\x1b[H\x1b[K";
  for (const char c : lines) text += c == '\n' ? std::string("\r\n\x1b[K") : std::string(1, c);
  return Write(output_, text);
}

std::string Terminal::Read() const {
  std::array<char, 256> bytes{};
  const ssize_t got = read(input_, bytes.data(), bytes.size());
  return got > 0 ? std::string(bytes.data(), static_cast<std::size_t>(got)) : std::string();
}

}  // namespace imagesweep
