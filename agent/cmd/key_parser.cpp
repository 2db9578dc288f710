#include "agent/cmd/key_parser.h"

#include <cstddef>
#include <utility>

#include "agent/report/render/printable.h"

namespace imagesweep {
namespace {

constexpr unsigned char kBell = 0x07, kBackspace = 0x08, kSubstitute = 0x1A, kEscape = 0x1B,
                        kDelete = 0x7F, kSingleShift3 = 0x8F, kSequenceIntroducer = 0x9B;

// The length of a character in UTF-8 by its first byte; 0: no character begins with it.
std::size_t LengthOf(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

}  // namespace

std::vector<Key> KeyParser::Parse(std::string_view bytes) {
  std::vector<Key> keys;
  for (const char byte : bytes) Read(static_cast<unsigned char>(byte), keys);
  return keys;
}

std::vector<Key> KeyParser::Timeout() {
  if (!waits()) return {};
  // Alt and ] look like the beginning of a string, which then has no end.
  const bool escape = std::exchange(state_, State::kText) == State::kEscape;
  return escape ? std::vector<Key>{{Key::Kind::kEscape}} : std::vector<Key>{};
}

void KeyParser::Read(unsigned char byte, std::vector<Key>& keys) {
  switch (state_) {
    case State::kText:
      ReadText(byte, keys);
      break;
    case State::kEscape:
      ReadAfterEscape(byte);
      break;
    case State::kSequence: {
      const bool begins = std::exchange(sequence_begins_, false);
      if (byte == kEscape)
        state_ = State::kEscape;
      else if (begins && byte == '[')
        state_ = State::kLinuxKey;
      else if (byte < 0x20 || byte > 0x3F)
        state_ = State::kText;
      break;
    }
    case State::kLinuxKey:
      state_ = byte == kEscape ? State::kEscape : State::kText;
      break;
    case State::kSingleShift:
      if (byte == kEscape)
        state_ = State::kEscape;
      else if ((byte < '0' || byte > '9') && byte != ';')  // modifiers
        state_ = State::kText;
      break;
    case State::kString:
      if (byte == kBell) state_ = State::kText;
      if (byte == kEscape) state_ = State::kStringEscape;
      break;
    case State::kStringEscape:
      if (byte == '\\')
        state_ = State::kText;
      else
        ReadAfterEscape(byte);
      break;
  }
}

void KeyParser::ReadAfterEscape(unsigned char byte) {
  sequence_begins_ = byte == '[';
  if (byte == kEscape)
    state_ = State::kEscape;
  else if (byte == '[')
    state_ = State::kSequence;
  else if (byte == 'O')
    state_ = State::kSingleShift;
  else if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_')
    state_ = State::kString;
  else
    state_ = State::kText;  // a key with Alt
}

void KeyParser::ReadText(unsigned char byte, std::vector<Key>& keys) {
  if (!character_.empty() && (byte & 0xC0) == 0x80) {
    character_ += static_cast<char>(byte);
  } else {
    character_.clear();
    if (byte == kEscape) {
      state_ = State::kEscape;
    } else if (byte == kSequenceIntroducer || byte == kSingleShift3) {
      ReadAfterEscape(byte == kSequenceIntroducer ? '[' : 'O');
    } else if (byte == '\r' || byte == '\n') {
      keys.push_back({Key::Kind::kEnter});
    } else if (byte == kBackspace || byte == kDelete) {
      keys.push_back({Key::Kind::kBackspace});
    } else if (byte == kSubstitute) {
      keys.push_back({Key::Kind::kSuspend});
    } else if (byte >= 0x20 && LengthOf(byte) > 0) {
      character_ = static_cast<char>(byte);
    }
  }
  if (character_.empty() ||
      character_.size() < LengthOf(static_cast<unsigned char>(character_.front())))
    return;
  // Characters that disturb a line, such as bidirectional marks, are no keys.
  if (Printable(character_) == character_) keys.push_back({Key::Kind::kCharacter, character_});
  character_.clear();
}

}  // namespace imagesweep
