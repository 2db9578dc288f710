#include "agent/imagestore/graph/labels.h"

#include <charconv>

namespace imagesweep::layers {

namespace {

constexpr std::string_view kPrefix = "containerd.io/gc.";

// The rest of `text` after `start`.  Empty: it does not begin with `start`.
std::optional<std::string_view> After(std::string_view text, std::string_view start) {
  if (!text.starts_with(start)) return std::nullopt;
  return text.substr(start.size());
}

// "ref.content", also with any name after "." or "/".
bool Named(std::string_view key, std::string_view what) {
  const auto rest = After(key, what);
  return rest && (rest->empty() || rest->front() == '.' || rest->front() == '/');
}

std::string_view UntilSlash(std::string_view text) {
  return text.substr(0, text.find('/'));
}

void ReadForward(std::string_view key, std::string_view value, const GcRules& rules,
                 GcLabels& out) {
  if (Named(key, "content"))
    out.references.push_back({ObjectType::kContent, {}, value, false});
  else if (const auto snapshotter = After(key, "snapshot."))
    out.references.push_back({ObjectType::kSnapshot, UntilSlash(*snapshotter), value, false});
  else if (rules.back_references && Named(key, "image"))
    out.references.push_back({ObjectType::kImage, {}, value, false});
}

void ReadBackward(std::string_view key, std::string_view value, GcLabels& out) {
  if (Named(key, "content"))
    out.references.push_back({ObjectType::kContent, {}, value, true});
  else if (const auto snapshotter = After(key, "snapshot."))
    out.references.push_back({ObjectType::kSnapshot, UntilSlash(*snapshotter), value, true});
  else if (Named(key, "image"))
    out.references.push_back({ObjectType::kImage, {}, value, true});
  else if (Named(key, "container"))
    out.references.push_back({ObjectType::kContainer, {}, value, true});
}

// "usedat<24h|KEY": assumed to hold at any time.
void ReadCondition(std::string_view snapshotter, std::string_view value, GcLabels& out) {
  while (!snapshotter.empty() && (snapshotter.front() == '.' || snapshotter.front() == '/'))
    snapshotter.remove_prefix(1);
  const auto bar = value.find('|');
  if (bar == std::string_view::npos) return;
  out.conditional = true;
  out.references.push_back(
      {ObjectType::kSnapshot, UntilSlash(snapshotter), value.substr(bar + 1), false});
}

// The digits [at, at + count) as a number.  -1: not digits.
int Number(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return -1;
  int value = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

GcRules RulesOf(std::string_view version) {
  if (version.starts_with('v')) version.remove_prefix(1);
  int major = 0, minor = 0;
  const char* const end = version.data() + version.size();
  const auto dot = std::from_chars(version.data(), end, major);
  if (dot.ec != std::errc() || dot.ptr == end || *dot.ptr != '.') return {};
  if (std::from_chars(dot.ptr + 1, end, minor).ec != std::errc()) return {};
  return {major >= 2, major > 2 || (major == 2 && minor >= 2),
          major > 2 || (major == 2 && minor >= 3)};
}

void ReadLabels(Labels labels, const GcRules& rules, GcLabels& out) {
  out.references.clear();
  out.root = out.flat = out.conditional = out.of_buildkit = false;
  out.expires.reset();
  for (const Label& label : labels) {
    if (label.key.starts_with("buildkit/")) out.of_buildkit = true;
    const auto key = After(label.key, kPrefix);
    if (!key) continue;
    if (const auto forward = After(*key, "ref."))
      ReadForward(*forward, label.value, rules, out);
    else if (const auto backward = After(*key, "bref."); backward && rules.back_references)
      ReadBackward(*backward, label.value, out);
    else if (const auto condition = After(*key, "cond.snapshot"); condition && rules.conditions)
      ReadCondition(*condition, label.value, out);
    else if (key->starts_with("root"))
      out.root = true;
    else if (*key == "flat")
      out.flat = true;
    else if (*key == "expire")
      out.expires = ParseTime(label.value);
  }
}

std::optional<SystemTime> ParseTime(std::string_view text) {
  const int year = Number(text, 0, 4), month = Number(text, 5, 2), day = Number(text, 8, 2);
  const int hour = Number(text, 11, 2), minute = Number(text, 14, 2), second = Number(text, 17, 2);
  if (year < 0 || month < 0 || day < 0 || text.size() < 20 || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':')
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
    return std::nullopt;
  // Clamp to the range of the clock: a lease without an end has a year in the far future.
  if (year < 1970 || year > 2200)
    return year < 1970 ? SystemTime() : SystemTime(std::chrono::hours(24 * 365 * 230));
  SystemTime time = std::chrono::sys_days(date) + std::chrono::hours(hour) +
                    std::chrono::minutes(minute) + std::chrono::seconds(second);
  std::size_t at = 19;
  if (text[at] == '.') {
    std::int64_t unit = 100'000'000;
    const std::size_t first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10)
      time += std::chrono::nanoseconds((text[at] - '0') * unit);
    if (at == first) return std::nullopt;
  }
  const std::string_view zone = text.substr(at);
  if (zone == "Z" || zone == "z") return time;
  const int off_hours = Number(zone, 1, 2), off_minutes = Number(zone, 4, 2);
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':' || off_hours < 0 ||
      off_hours > 23 || off_minutes < 0 || off_minutes > 59)
    return std::nullopt;
  const auto offset = std::chrono::hours(off_hours) + std::chrono::minutes(off_minutes);
  return zone[0] == '+' ? time - offset : time + offset;
}

}  // namespace imagesweep::layers
