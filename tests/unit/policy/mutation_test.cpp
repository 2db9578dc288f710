#include <gtest/gtest.h>

#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "agent/policy/fields.h"
#include "agent/policy/parse.h"
#include "agent/policy/render.h"
#include "tests/unit/policy/policy_text.h"

namespace imagesweep {
namespace {

constexpr int kRounds = 10'000;

std::string ValidText() {
  return WithHead(
      "dryRun: false\n"
      "interval: 20m\n"
      "minimumAge: 2h\n"
      "maximumAge: 7d\n"
      "diskUsage: {highThresholdPercent: 70, lowThresholdPercent: 60}\n"
      "keep:\n"
      "  images: [\"shop/**\", nginx]\n"
      "  tags:\n"
      "  - latest\n"
      "  - prod-*\n"
      "  localOnly: Never\n"
      "limits:\n"
      "  maxImages: 10\n"
      "  maxBytes: 20Gi\n"
      "  removalDelay: 100ms\n");
}

std::size_t Below(std::mt19937_64& random, std::size_t limit) {
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}

std::string Mutate(std::string text, std::mt19937_64& random) {
  constexpr std::string_view kBytes = "aZ09-:,.[]{}&*!|>'\"%@`#?~ \n\r\t\\\0\x7F\x80\xFF";
  const auto times = 1 + Below(random, 3);
  for (std::size_t i = 0; i < times && !text.empty(); ++i) {
    const auto at = Below(random, text.size());
    const auto length = 1 + Below(random, 12);
    const char byte = kBytes[Below(random, kBytes.size())];
    switch (Below(random, 8)) {
      case 0:
        text[at] = byte;
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, 1, byte);
        break;
      case 3:
        text.insert(at, text.substr(Below(random, text.size()), length * 3));
        break;
      case 4:
        text.resize(at);
        break;
      case 5:
        text[at] = static_cast<char>(random());
        break;
      default:
        if (const auto digit = text.find_first_of("0123456789", at); digit != std::string::npos)
          text[digit] = static_cast<char>('0' + Below(random, 10));
    }
  }
  return text;
}

// Every accepted policy has one meaning: written and read again, it is the same policy.
TEST(Mutation, RoundTripsEveryAcceptedPolicy) {
  std::mt19937_64 random(20240901);
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::string text = Mutate(ValidText(), random);
    const auto policy = ParsePolicy(text);
    if (!policy) {
      ASSERT_EQ(policy.error().kind, ErrorKind::kInvalid);
      ASSERT_FALSE(policy.error().what.empty()) << text;
      continue;
    }
    ++accepted;
    const std::string written = PolicyYaml(*policy);
    const auto again = ParsePolicy(written);
    ASSERT_TRUE(again) << again.error().what << "\nfrom\n" << text;
    ASSERT_EQ(PolicyYaml(*again), written);
  }
  EXPECT_GT(accepted, kRounds / 50);
  EXPECT_LT(accepted, kRounds / 2);
}

// One value of a policy is replaced by another text. The policy changes only there, to exactly the
// value in the text, or it is refused.
TEST(Mutation, ChangesOnlyTheFieldWhoseTextChanges) {
  std::mt19937_64 random(7);
  constexpr std::string_view kDigits = "0123456789-+.eE%x_ ";
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::string value;
    for (auto length = 1 + Below(random, 4); length > 0; --length)
      value += kDigits[Below(random, Below(random, 2) == 0 ? 10 : kDigits.size())];
    Policy expected = Policy::Default();
    const auto policy = ParsePolicy(WithHead("limits: {maxImages: " + value + "}\n"));
    const auto first = value.find_first_not_of(' ');
    const auto last = value.find_last_not_of(' ');
    const auto trimmed = first == std::string::npos ? "" : value.substr(first, last - first + 1);
    const bool number = !trimmed.empty() &&
                        trimmed.find_first_not_of("0123456789") == std::string::npos &&
                        (trimmed.size() == 1 || trimmed.front() != '0');
    ASSERT_EQ(static_cast<bool>(policy), number || trimmed == "-0") << value;
    if (!policy) continue;
    ++accepted;
    expected.limits.max_images = std::stoi(trimmed);
    ASSERT_EQ(PolicyYaml(*policy), PolicyYaml(expected)) << value;
  }
  EXPECT_GT(accepted, 100);
}

TEST(Mutation, AnUnknownFieldNeverPasses) {
  std::mt19937_64 random(42);
  const auto rows = PolicyFields().Rows(Policy::Default(), "", 0);
  for (int round = 0; round < kRounds; ++round) {
    // A real name with one letter added, dropped, or changed, among its siblings.
    const auto& row = rows[Below(random, rows.size())];
    std::string name = row.name;
    const auto at = Below(random, name.size());
    const char letter = static_cast<char>('a' + Below(random, 26));
    switch (Below(random, 3)) {
      case 0:
        name.insert(at, 1, letter);
        break;
      case 1:
        name.erase(at, 1);
        break;
      default:
        name[at] = letter;
    }
    if (name == row.name) continue;
    const auto dot = row.path.rfind('.');
    const std::string parent = dot == std::string::npos ? "" : row.path.substr(0, dot);
    // diskUsage.inodes.x becomes "diskUsage: {inodes: {x: 1}}".
    std::string field = parent;
    for (auto dots = field.find('.'); dots != std::string::npos; dots = field.find('.'))
      field.replace(dots, 1, ": {");
    const auto depth = static_cast<std::size_t>(std::ranges::count(row.path, '.'));
    field += (parent.empty() ? "" : ": {") + name + ": 1" + std::string(depth, '}') + "\n";
    const auto verdict = Verdict(WithHead(field));
    const std::string path = parent.empty() ? name : parent + "." + name;
    ASSERT_EQ(verdict.find("strict decoding error: unknown field \"" + path + "\" (line 3)"), 0U)
        << verdict;
  }
}

}  // namespace
}  // namespace imagesweep
