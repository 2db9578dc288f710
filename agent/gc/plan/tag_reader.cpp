#include "agent/gc/plan/tag_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "agent/base/parse_number.h"
#include "agent/gc/plan/tag_dates.h"
#include "agent/gc/plan/tag_text.h"
#include "agent/model/image_name.h"

namespace imagesweep {
namespace {

using Part = SchemePart;

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool IsWord(std::string_view text, std::string_view word) {
  return std::ranges::equal(text, word, {}, Lower);
}
template <std::size_t N>
bool IsOneOf(std::string_view text, const std::string_view (&words)[N]) {
  return std::ranges::any_of(words, [&](std::string_view word) { return IsWord(text, word); });
}

// A number after one of these names a branch, not a version.
constexpr std::string_view kBranches[] = {"pr",  "mr",     "pull",   "issue",  "feature", "feat",
                                          "fix", "bugfix", "hotfix", "ticket", "task",    "story"};
// A number after one of these counts builds of one version.
constexpr std::string_view kRevisions[] = {"r", "rev", "b", "build", "run", "ci"};
// A single number after one of these counts versions.  After any other word it may be part of a
// name ("cuda-11", "proj-1234").
constexpr std::string_view kCounters[] = {"v", "ver", "version", "rel", "release", "iteration"};
// A number after one of these is the release of a distribution, as in "15.2.0-debian-12-r2".
constexpr std::string_view kDistributions[] = {"debian", "ubuntu", "alpine", "photon", "ol",
                                               "ubi",    "rhel",   "centos", "rocky",  "fedora"};

// Digits that may be a commit or a number have no order: git abbreviates to 7 and to more in large
// repositories, CI systems to 8, Mercurial to 12, and a full commit has 40.
bool MayBeCommit(std::string_view token) {
  if (IsNumber(token)) {
    if (token.size() >= 8 && IsCompactDate(token.substr(0, 8))) return token.size() > 18;
    return token.size() >= 7 && !IsEpochTime(token);
  }
  return token.size() >= 7 && IsHex(token);
}

class Reader {
 public:
  explicit Reader(std::string_view tag) : rest_(tag) {}

  TagVersion Read() {
    char separator = 0;
    while (!rest_.empty() && !ended_) {
      if (!ReadPrerelease(separator)) {
        if (separator != 0) version_.scheme += separator;
        if (!ReadIsoDate() && !ReadCommit(separator) && !ReadNumbers(separator) && !ReadRevision())
          ReadWord();
      }
      separator = 0;
      if (!rest_.empty() && IsSeparator(rest_.front())) {
        separator = rest_.front();
        rest_.remove_prefix(1);
        if (rest_.empty()) version_.scheme += separator;
      }
    }
    const bool ordered = core_end_ > 0 && !too_many_;
    version_.kind = ordered ? TagKind::kVersion : commits_ ? TagKind::kCommit : TagKind::kWord;
    if (!ordered) version_.numbers = {};
    return std::move(version_);
  }

 private:
  std::string_view Token() const {
    return rest_.substr(
        0, static_cast<std::size_t>(std::ranges::find_if(rest_, IsSeparator) - rest_.begin()));
  }
  bool EndsAt(std::size_t at) const { return at >= rest_.size() || IsSeparator(rest_[at]); }
  std::size_t Digits(std::size_t from) const {
    std::size_t to = from;
    while (to < rest_.size() && IsDigit(rest_[to])) ++to;
    return to - from;
  }

  void Push(std::uint64_t number) {
    if (count_ == TagVersion::kMaxNumbers)
      too_many_ = true;
    else
      version_.numbers[count_++] = number;
  }
  void Push(std::string_view digits) {
    if (const auto number = ParseNumber<std::uint64_t>(digits))
      Push(*number);
    else
      too_many_ = true;
  }
  // The first number is the version; after it, two positions are reserved for a pre-release.
  void EndCore() {
    if (core_end_ > 0) return;
    core_end_ = rest_.size() + 1;
    prerelease_at_ = count_;
    Push(kRelease);
    Push(0);
  }
  bool behind_core() const { return core_end_ > 0; }

  // Right after the version: "-rc.1", "rc1", "-alpha", "-SNAPSHOT"; for Python "a1", "b2".  Without
  // a number, "-dev", "-nightly", "-pre" and "-preview" are variants: many images have a "-dev"
  // beside each release.
  bool ReadPrerelease(char separator) {
    if (!behind_core() || something_behind_core_) return false;
    struct Word {
      std::string_view text;
      std::uint64_t rank;
      bool needs_number = false;
    };
    constexpr Word kWords[] = {{"alpha", 1},     {"beta", 2},          {"rc", 3},
                               {"snapshot", 4},  {"preview", 4, true}, {"pre", 4, true},
                               {"dev", 4, true}, {"nightly", 4, true}, {"a", 1, true},
                               {"b", 2, true}};
    for (const auto& [word, rank, needs_number] : kWords) {
      if (!IsWord(rest_.substr(0, word.size()), word)) continue;
      const bool python = word.size() == 1;
      std::size_t at = word.size();
      if (python && separator != 0) continue;
      if (Digits(at) == 0 && !EndsAt(at)) continue;
      if (Digits(at) == 0 && at < rest_.size() && (rest_[at] == '.' || rest_[at] == '-')) {
        const std::size_t digits = Digits(at + 1);
        if (digits > 0 && EndsAt(at + 1 + digits) && !MayBeCommit(rest_.substr(at + 1, digits)))
          ++at;
      }
      const std::size_t digits = Digits(at);
      if (!EndsAt(at + digits) || (needs_number && digits == 0)) continue;
      const auto number = ParseNumber<std::uint64_t>(rest_.substr(at, digits));
      if (digits > 0 && !number) continue;
      version_.prerelease = true;
      if (rank == 4) version_.line = rest_.substr(0, word.size());
      if (!too_many_) {
        version_.numbers[prerelease_at_] = rank;
        version_.numbers[prerelease_at_ + 1] = number.value_or(0);
      }
      something_behind_core_ = true;
      rest_.remove_prefix(at + digits);
      return true;
    }
    return false;
  }

  // "2024-01-15", "2023-12-23T07-19-11Z".
  bool ReadIsoDate() {
    if (literal_ || rest_.size() < 10 || rest_[4] != '-' || rest_[7] != '-' ||
        !IsDay(rest_.substr(0, 4), rest_.substr(5, 2), rest_.substr(8, 2)))
      return false;
    std::size_t end = 10;
    std::string_view time[3];
    int parts = 0;
    if (end < rest_.size() && Lower(rest_[end]) == 't') {
      std::size_t at = end + 1;
      while (parts < 3 && Digits(at) >= 2) {
        time[parts++] = rest_.substr(at, 2);
        at += 2;
        const bool another = at + 2 < rest_.size() && IsSeparator(rest_[at]) && parts < 3 &&
                             IsNumber(rest_.substr(at + 1, 2));
        if (another) ++at;
      }
      if (at < rest_.size() && Lower(rest_[at]) == 'z') ++at;
      if (parts < 2) return false;
      end = at;
    }
    if (!EndsAt(end)) return false;
    for (const auto part : {rest_.substr(0, 4), rest_.substr(5, 2), rest_.substr(8, 2)}) Push(part);
    for (int i = 0; i < parts; ++i) Push(time[i]);
    version_.scheme += parts > 0 ? Part::kIsoTime : Part::kIsoDate;
    if (parts == 2) version_.scheme += Part::kNumber;  // without seconds: another scheme
    TakeNumber(end);
    return true;
  }

  bool ReadCommit(char separator) {
    const auto token = Token();
    const bool of_describe =
        behind_core() && token.size() >= 8 && token.front() == 'g' && IsHex(token.substr(1));
    // Digits between dots are a field of a version.
    const bool field =
        IsNumber(token) &&
        (separator == '.' || (token.size() < rest_.size() && rest_[token.size()] == '.'));
    if (!of_describe && (!MayBeCommit(token) || (field && token.size() <= 18))) return false;
    version_.scheme += Part::kCommit;
    commits_ = true;
    if (behind_core()) something_behind_core_ = true;
    rest_.remove_prefix(token.size());
    word_ = {};
    return true;
  }

  bool ReadNumbers(char separator) {
    if (literal_ && !number_counts_) return false;
    // "alpine3.18" is one word, and a branch's number is its name.
    if (!behind_core() &&
        (IsOneOf(word_, kBranches) || (separator == '.' && std::ranges::any_of(word_, IsDigit))))
      return false;
    const bool v = Lower(rest_.front()) == 'v' && Digits(1) > 0;
    std::size_t end = v ? 1 : 0;
    std::string_view fields[TagVersion::kMaxNumbers];
    std::size_t count = 0;
    while (const std::size_t digits = Digits(end)) {
      if (count == TagVersion::kMaxNumbers) return false;
      fields[count++] = rest_.substr(end, digits);
      end += digits;
      if (end + 1 >= rest_.size() || rest_[end] != '.' || !IsDigit(rest_[end + 1])) break;
      ++end;
    }
    if (count == 0) return false;
    if (!v && count == 1 && ReadCompactTime(fields[0], end)) return true;
    if (!v && count == 1 && !behind_core() && ReadJava(fields[0], end)) return true;
    if (!EndsAt(end) && (behind_core() || !PrereleaseFollows(end))) return false;
    if (!behind_core())
      version_.may_be_name = count == 1 && !v && !version_.scheme.empty() &&
                             !IsOneOf(word_, kCounters) && !IsOneOf(word_, kRevisions) &&
                             !IsCompactDate(fields[0]) && !IsEpochTime(fields[0]);
    if (v) version_.scheme += rest_.front();
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) version_.scheme += '.';
      version_.scheme += i == 0 ? FirstField(fields[0], count) : Part::kNumber;
      Push(fields[i]);
    }
    free_words_ =
        v && count == 1 && version_.scheme.size() == 2 && version_.scheme[1] == Part::kNumber;
    TakeNumber(end);
    return true;
  }

  char FirstField(std::string_view digits, std::size_t count) const {
    if (IsCompactDate(digits)) {
      if (digits.size() == 8) return Part::kCompactDate;
      if (digits.size() == 12) return Part::kCompactMinute;
      if (digits.size() == 14) return Part::kCompactSecond;
    }
    const bool alone = count == 1 && !version_.scheme.empty();
    return IsYear(digits) && !alone ? Part::kYear : Part::kNumber;
  }

  // "20240115T123000Z"
  bool ReadCompactTime(std::string_view date, std::size_t end) {
    if (date.size() != 8 || !IsCompactDate(date) || end >= rest_.size() || Lower(rest_[end]) != 't')
      return false;
    const std::size_t digits = Digits(end + 1);
    std::size_t last = end + 1 + digits;
    if (last < rest_.size() && Lower(rest_[last]) == 'z') ++last;
    if ((digits != 4 && digits != 6) || !EndsAt(last)) return false;
    Push(date);
    Push(rest_.substr(end + 1, digits));
    version_.scheme += Part::kCompactTime;
    if (digits == 4) version_.scheme += Part::kNumber;
    TakeNumber(last);
    return true;
  }

  // "8u402", which "-b06" may follow.
  bool ReadJava(std::string_view major, std::size_t end) {
    if (end >= rest_.size() || rest_[end] != 'u') return false;
    const std::size_t digits = Digits(end + 1);
    if (digits == 0 || !EndsAt(end + 1 + digits)) return false;
    Push(major);
    Push(rest_.substr(end + 1, digits));
    version_.scheme += {Part::kNumber, 'u', Part::kNumber};
    TakeNumber(end + 1 + digits);
    return true;
  }

  bool PrereleaseFollows(std::size_t at) const {
    constexpr std::string_view kWords[] = {"alpha", "beta", "rc", "a", "b", "dev", "pre"};
    std::size_t end = at;
    while (end < rest_.size() && !IsDigit(rest_[end]) && !IsSeparator(rest_[end])) ++end;
    const auto word = rest_.substr(at, end - at);
    return IsOneOf(word, kWords) && (word.size() > 1 || Digits(end) > 0) &&
           EndsAt(end + Digits(end));
  }

  void TakeNumber(std::size_t size) {
    rest_.remove_prefix(size);
    if (behind_core()) something_behind_core_ = true;
    EndCore();
    number_counts_ = false;
    word_ = {};
  }

  // "r14", "b06", "build17", and "debian-12-r2": anywhere after the version.
  bool ReadRevision() {
    if (!behind_core()) return false;
    const auto token = Token();
    const auto digits = std::ranges::find_if(token, IsDigit);
    const auto word = token.substr(0, static_cast<std::size_t>(digits - token.begin()));
    const auto number = token.substr(word.size());
    if (IsOneOf(word, kRevisions) && IsNumber(number)) {
      version_.scheme += word;
      version_.scheme += Part::kNumber;
      Push(number);
      TakeNumber(token.size());
      return true;
    }
    if (literal_ || !IsOneOf(token, kDistributions)) return false;
    std::size_t end = token.size() + 1;
    const std::size_t release = Digits(end);
    if (token.size() >= rest_.size() || rest_[token.size()] != '-' || release == 0 || release > 18)
      return false;
    const auto revision = rest_.substr(std::min(rest_.size(), end + release));
    if (!revision.starts_with("-r") || !IsNumber(revision.substr(2))) return false;
    version_.scheme += token;
    version_.scheme += {'-', Part::kNumber, '-', 'r', Part::kNumber};
    Push(rest_.substr(end, release));
    Push(revision.substr(2));
    TakeNumber(rest_.size());
    return true;
  }

  // After the version, a word is a variant, and so are numbers after it.  In hand-made versions
  // ("v2-retry", "v3-retry-fixed") the words after the first are not part of the scheme, see
  // MayReplace().
  void ReadWord() {
    const auto token = Token();
    version_.scheme += token;
    word_ = token;
    rest_.remove_prefix(token.size());
    if (!behind_core()) return;
    number_counts_ = IsOneOf(token, kRevisions);
    if (free_words_ && !something_behind_core_ && !number_counts_) {
      version_.scheme += Part::kAnyWords;
      version_.more_words = rest_;
      ended_ = true;
    }
    literal_ = something_behind_core_ = true;
  }

  static constexpr std::uint64_t kRelease = 9;

  TagVersion version_;
  std::string_view rest_;
  std::string_view word_;  // the token before this one, when it is a word
  std::size_t count_ = 0;
  std::size_t core_end_ = 0;  // 0: no number yet
  std::size_t prerelease_at_ = 0;
  bool something_behind_core_ = false;
  bool literal_ = false;        // numbers are part of a variant
  bool number_counts_ = false;  // but this one counts builds
  bool free_words_ = false;
  bool commits_ = false;
  bool too_many_ = false;
  bool ended_ = false;
};

}  // namespace

TagVersion ReadParts(std::string_view tag) {
  return Reader(tag).Read();
}

}  // namespace imagesweep
