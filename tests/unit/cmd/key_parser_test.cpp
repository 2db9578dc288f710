#include "agent/cmd/key_parser.h"

#include <gmock/gmock.h>

namespace imagesweep {

void PrintTo(const Key& key, std::ostream* out) {
  *out << static_cast<int>(key.kind) << " \"" << key.text << "\"";
}

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Key kEnter{Key::Kind::kEnter}, kEscape{Key::Kind::kEscape}, kBackspace{Key::Kind::kBackspace};

Key Character(const char* text) {
  return {Key::Kind::kCharacter, text};
}

// Everything that terminals send for keys that are no keys here, and answers to questions.
const std::string kIgnored[] = {"\x1b[A",
                                "\x1b[D",
                                "\x1bOA",
                                "\x1bOq",
                                "\x1b[3~",
                                "\x1b[1;5C",
                                "\x1b[200~",
                                "\x1b[[A",
                                "\x1b[[q",
                                "\x1bO1;5P",
                                "\x1bq",
                                "\x1bs",
                                "\x1b/",
                                "\x1b?",
                                "\x1b[113;5u",
                                "\x1b[0q",
                                "\x1b[?1;2c",
                                "\x1b[1 q",
                                "\x1b\x1b[A",
                                "\x1b[<0;3;4M",
                                "\x1b[O",
                                ("\x9b"
                                 "A"),
                                "\x8fq",
                                "\x01",
                                "\x04",
                                "\x1b]0;q\x07",
                                "\x1b]11;q\x1b\\",
                                "\x1bP1$rq\x1b\\",
                                "\x1b_q\x1b\\"};

TEST(KeyParser, ReadsCharactersAndControls) {
  KeyParser parser;
  EXPECT_THAT(parser.Parse("q/\r\n\x7f\b\x1a"),
              ElementsAre(Character("q"), Character("/"), kEnter, kEnter, kBackspace, kBackspace,
                          Key{Key::Kind::kSuspend}));
  EXPECT_FALSE(parser.waits());
}

TEST(KeyParser, ReadsEscapeOnlyIfNothingFollows) {
  KeyParser parser;
  EXPECT_THAT(parser.Parse("\x1b"), IsEmpty());
  EXPECT_TRUE(parser.waits());
  EXPECT_THAT(parser.Timeout(), ElementsAre(kEscape));
  EXPECT_FALSE(parser.waits());
  EXPECT_THAT(parser.Timeout(), IsEmpty());
  EXPECT_THAT(parser.Parse("q"), ElementsAre(Character("q")));
}

TEST(KeyParser, IgnoresEscapeSequencesInOnePiece) {
  for (const std::string& sequence : kIgnored) {
    KeyParser parser;
    EXPECT_THAT(parser.Parse(sequence), IsEmpty()) << testing::PrintToString(sequence);
    EXPECT_FALSE(parser.waits()) << testing::PrintToString(sequence);
    EXPECT_THAT(parser.Parse("s"), ElementsAre(Character("s"))) << testing::PrintToString(sequence);
  }
}

TEST(KeyParser, IgnoresEscapeSequencesThatArriveByteByByte) {
  for (const std::string& sequence : kIgnored) {
    KeyParser parser;
    for (const char byte : sequence)
      EXPECT_THAT(parser.Parse({&byte, 1}), IsEmpty()) << testing::PrintToString(sequence);
    EXPECT_THAT(parser.Parse("s"), ElementsAre(Character("s"))) << testing::PrintToString(sequence);
  }
}

TEST(KeyParser, ReadsTheKeyAfterASequenceThatAnotherOneCutsOff) {
  KeyParser parser;
  EXPECT_THAT(parser.Parse("\x1b[1;\x1b[As"), ElementsAre(Character("s")));
  EXPECT_THAT(parser.Parse("\x1b[1;\x1b"), IsEmpty());
  EXPECT_THAT(parser.Timeout(), ElementsAre(kEscape));
}

TEST(KeyParser, DoesNotWaitForTheEndOfAStringForever) {
  KeyParser parser;
  EXPECT_THAT(parser.Parse("\x1b]"), IsEmpty());  // Alt and ]
  EXPECT_TRUE(parser.waits());
  EXPECT_THAT(parser.Timeout(), IsEmpty());
  EXPECT_THAT(parser.Parse("q"), ElementsAre(Character("q")));
}

TEST(KeyParser, ReadsCharactersInUtf8InAnyPieces) {
  KeyParser parser;
  EXPECT_THAT(parser.Parse("\u00e9\u955c"), ElementsAre(Character("\u00e9"), Character("\u955c")));
  EXPECT_THAT(parser.Parse("\xe9"), IsEmpty());
  EXPECT_THAT(parser.Parse("\x95"), IsEmpty());
  EXPECT_THAT(parser.Parse("\x9c"), ElementsAre(Character("\u955c")));
}

TEST(KeyParser, IgnoresInvalidUtf8AndCharactersThatDisturbALine) {
  KeyParser parser;
  EXPECT_THAT(parser.Parse("\xc3q"), ElementsAre(Character("q")));
  EXPECT_THAT(parser.Parse("\xff\xa9s"), ElementsAre(Character("s")));
  EXPECT_THAT(parser.Parse("\u202e\u0085"), IsEmpty());
}

}  // namespace
}  // namespace imagesweep
