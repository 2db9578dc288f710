#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace imagesweep {

struct TerminalSize {
  std::size_t width = 80, height = 24;  // in characters
};

// Shows the alternate screen, and lets single keys be read without an echo.  The destructor
// restores the settings of the terminal and its screen.  So does each signal that ends the process
// but SIGKILL, which includes the SIGABRT of an exception that nothing catches.  SIGINT and SIGTERM
// are stop requests (signals.h), so the destructor runs.  At most one object at a time.
class Terminal {
 public:
  // `input` and `output` are terminals.  -1 as `input`: no keys are read, and its settings stay.
  // A change of the size writes to the eventfd `wake`.
  Terminal(int input, int output, int wake);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // Restores the terminal, stops the process as Ctrl-Z does, and returns when it continues.
  void Suspend();

  TerminalSize Size() const;
  // Replaces the content of the screen by these lines, one for each of its lines.  The last one has
  // no newline.  False if not all was written.
  bool Show(std::string_view lines) const;
  // The bytes of the keys that were pressed.  Empty: the terminal is gone.
  std::string Read() const;

 private:
  void Enter() const;

  const int input_, output_;
};

}  // namespace imagesweep
