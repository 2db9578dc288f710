#include "agent/state/pack.h"

#include <gtest/gtest.h>

#include <random>

namespace imagesweep {
namespace {

constexpr std::size_t kMost = 1U << 20;

// Text like our reports: of `letters` different letters, with repeated parts.
std::string Text(std::mt19937_64& random, std::size_t size, unsigned letters) {
  std::string text;
  while (text.size() < size) {
    if (!text.empty() && random() % 3 == 0) {
      const auto from = random() % text.size();
      text += text.substr(from, random() % 300);
    } else {
      text += static_cast<char>(random() % letters);
    }
  }
  return text;
}

TEST(Pack, GivesTheSameTextBack) {
  std::mt19937_64 random(1);
  for (std::size_t size = 0; size < 3000; size = size * 5 / 4 + 1)
    for (const unsigned letters : {1U, 2U, 26U, 256U}) {
      const auto text = Text(random, size, letters);
      EXPECT_EQ(Unpack(Pack(text), kMost), text) << size << " of " << letters;
    }
  const auto large = Text(random, 500'000, 256);
  EXPECT_EQ(Unpack(Pack(large), kMost), large);
}

TEST(Pack, MakesRepetitionSmallAndNothingMuchLarger) {
  EXPECT_LT(Pack(std::string(kMost, 'x')).size(), kMost / 500);
  std::mt19937_64 random(2);
  std::string noise;
  while (noise.size() < 100'000) noise += static_cast<char>(random());
  EXPECT_LT(Pack(noise).size(), noise.size() + 100);
}

TEST(Pack, DoesNotUnpackMoreThanAsked) {
  const auto packed = Pack(std::string(1000, 'x'));
  EXPECT_EQ(Unpack(packed, 1000), std::string(1000, 'x'));
  EXPECT_FALSE(Unpack(packed, 999));
}

TEST(Pack, RejectsTruncatedOrForeignData) {
  const auto packed = Pack("one two three, one two three, one two three; one two three");
  for (std::size_t length = 0; length < packed.size(); ++length)
    EXPECT_FALSE(Unpack(packed.substr(0, length), kMost)) << length;
  EXPECT_FALSE(Unpack(packed + "x", kMost));
  EXPECT_FALSE(Unpack(std::string(20, '\xFF'), kMost));
}

TEST(Pack, NoticesAnyChangedByte) {
  std::mt19937_64 random(3);
  const auto text = Text(random, 2000, 26);
  const auto packed = Pack(text);
  for (int round = 0; round < 20'000; ++round) {
    std::string changed = packed;
    for (int i = 0; i <= round % 3; ++i)
      changed[random() % changed.size()] = static_cast<char>(random());
    const auto unpacked = Unpack(changed, kMost);
    EXPECT_TRUE(!unpacked || *unpacked == text) << round;
  }
}

}  // namespace
}  // namespace imagesweep
