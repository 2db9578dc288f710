#include "agent/cmd/terminal.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <vector>

namespace imagesweep {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr tcflag_t kLineMode = ICANON | ECHO;

void Fail() {
  throw std::runtime_error("test");
}

// A pseudoterminal, which belongs to no session.
struct TerminalTest : testing::Test {
  TerminalTest() {
    grantpt(ours);
    unlockpt(ours);
    char name[64] = "";
    EXPECT_EQ(ptsname_r(ours, name, sizeof name), 0);
    theirs = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    EXPECT_GE(theirs, 0);
  }
  ~TerminalTest() override {
    close(theirs);
    close(ours);
    close(wake);
  }
  termios Settings() const {
    termios settings{};
    EXPECT_EQ(tcgetattr(theirs, &settings), 0);
    return settings;
  }
  bool InLineMode() const { return (Settings().c_lflag & kLineMode) == kLineMode; }
  std::string Shown() const {
    char bytes[4096];
    const ssize_t got = read(ours, bytes, sizeof bytes);
    return got > 0 ? std::string(bytes, static_cast<std::size_t>(got)) : std::string();
  }

  const int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  int theirs = -1;
  const int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
};

TEST_F(TerminalTest, ReadsKeysWithoutAnEchoAndRestoresTheSettings) {
  const termios before = Settings();
  {
    const Terminal terminal(theirs, theirs, wake);
    EXPECT_EQ(Settings().c_lflag & kLineMode, 0U);
    EXPECT_EQ(Settings().c_lflag & ISIG, static_cast<tcflag_t>(ISIG)) << "Ctrl-C ends the program";
    Shown();
    EXPECT_EQ(write(ours, "q", 1), 1);
    EXPECT_EQ(terminal.Read(), "q");
    EXPECT_EQ(Shown(), "") << "an echo";
  }
  EXPECT_EQ(Settings().c_lflag, before.c_lflag);
  EXPECT_EQ(Settings().c_cc[VSUSP], before.c_cc[VSUSP]);
  EXPECT_THAT(Shown(), EndsWith("\x1b[?1049l"));
}

TEST_F(TerminalTest, RestoresTheSettingsOnAnException) {
  try {
    const Terminal terminal(theirs, theirs, wake);
    ASSERT_FALSE(InLineMode());
    Fail();
  } catch (const std::runtime_error&) {
    EXPECT_TRUE(InLineMode());
  }
}

TEST_F(TerminalTest, RestoresTheSettingsOnSignalsThatEndTheProcess) {
  std::vector<int> signals{SIGHUP, SIGQUIT, SIGABRT};
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  signals.push_back(SIGSEGV);  // a sanitizer has a handler of its own, which reports and exits
#endif
  for (const int signal : signals) {
    const auto die = [&] {
      const Terminal terminal(theirs, theirs, wake);
      if (InLineMode()) _exit(1);
      raise(signal);
    };
    EXPECT_EXIT(die(), testing::KilledBySignal(signal), "");
    EXPECT_TRUE(InLineMode()) << signal;
    EXPECT_THAT(Shown(), EndsWith("\x1b[?1049l")) << signal;
  }
}

TEST_F(TerminalTest, RestoresTheSettingsOnAnUncaughtException) {
  const auto die = [&]() noexcept {
    const Terminal terminal(theirs, theirs, wake);
    if (InLineMode()) _exit(1);
    Fail();
  };
  EXPECT_EXIT(die(), testing::KilledBySignal(SIGABRT), "");
  EXPECT_TRUE(InLineMode());
}

TEST_F(TerminalTest, RestoresTheSettingsWhileTheProcessIsStopped) {
  const pid_t child = fork();
  if (child == 0) {
    setpgid(0, 0);  // the kernel does not stop a group whose parent is not in the session
    Terminal terminal(theirs, theirs, wake);
    terminal.Suspend();
    _exit(InLineMode() ? 1 : 0);
  }
  ASSERT_GT(child, 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, WUNTRACED), child);
  ASSERT_TRUE(WIFSTOPPED(status)) << status;
  EXPECT_TRUE(InLineMode());
  EXPECT_THAT(Shown(), EndsWith("\x1b[?1049l"));
  kill(child, SIGCONT);
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST_F(TerminalTest, LeavesTheSettingsAloneIfItReadsNoKeys) {
  const Terminal terminal(-1, theirs, wake);
  EXPECT_TRUE(InLineMode());
  EXPECT_THAT(Shown(), StartsWith("\x1b[?1049h"));
}

TEST_F(TerminalTest, WakesOnAChangeOfTheSize) {
  const Terminal terminal(theirs, theirs, wake);
  const winsize size{50, 132, 0, 0};
  ASSERT_EQ(ioctl(ours, TIOCSWINSZ, &size), 0);
  eventfd_t count = 0;
  EXPECT_NE(eventfd_read(wake, &count), 0);
  raise(SIGWINCH);  // the kernel sends it only to the session of the terminal
  EXPECT_EQ(eventfd_read(wake, &count), 0);
  EXPECT_EQ(terminal.Size().width, 132U);
  EXPECT_EQ(terminal.Size().height, 50U);
}

TEST_F(TerminalTest, HasAUsualSizeIfTheTerminalDoesNotKnowIt) {
  const Terminal terminal(theirs, theirs, wake);
  EXPECT_EQ(terminal.Size().width, 80U);
  EXPECT_EQ(terminal.Size().height, 24U);
}

TEST_F(TerminalTest, ErasesTheRestOfEachLine) {
  const Terminal terminal(theirs, theirs, wake);
  Shown();
  EXPECT_TRUE(terminal.Show("a\nb"));
  EXPECT_THAT(Shown(), AllOf(StartsWith("\x1b[H\x1b[Ka"), HasSubstr("\x1b[Kb"), EndsWith("b")));
}

}  // namespace
}  // namespace imagesweep
