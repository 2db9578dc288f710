#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/report/documents/watch_controls.h"

namespace imagesweep {

// Reads keys from the bytes of a terminal, in any pieces.  Arrow keys, function keys, keys with
// Alt, and answers of the terminal arrive as escape sequences: they are no keys here, and no byte
// of them is taken for one. Source: ECMA-48, 5.4 (control sequences) and 5.6 (control strings);
// xterm, ctlseqs.
class KeyParser {
 public:
  std::vector<Key> Parse(std::string_view bytes);

  // True after an Escape that may begin a sequence.  The caller then waits kEscapeDelayMillis for
  // more bytes, and calls Timeout if there are none.
  bool waits() const noexcept {
    return state_ == State::kEscape || state_ == State::kString || state_ == State::kStringEscape;
  }
  std::vector<Key> Timeout();

 private:
  enum class State {
    kText,
    kEscape,        // after ESC
    kSequence,      // after CSI
    kLinuxKey,      // after CSI [, which the Linux console sends for F1 to F5
    kSingleShift,   // after SS3
    kString,        // in OSC, DCS, SOS, PM, or APC
    kStringEscape,  // after ESC in a string
  };

  void Read(unsigned char byte, std::vector<Key>& keys);
  void ReadText(unsigned char byte, std::vector<Key>& keys);
  void ReadAfterEscape(unsigned char byte);

  State state_ = State::kText;
  bool sequence_begins_ = false;  // no byte of the sequence followed its CSI yet
  std::string character_;         // the bytes so far of a character in UTF-8
};

inline constexpr int kEscapeDelayMillis = 100;  // as Vim's ttimeoutlen

}  // namespace imagesweep
