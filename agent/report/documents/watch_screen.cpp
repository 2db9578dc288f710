#include "agent/report/documents/watch_screen.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "agent/base/duration.h"
#include "agent/base/quantity.h"
#include "agent/model/verdict_codes.h"
#include "agent/report/documents/text.h"
#include "agent/report/documents/text_parts.h"
#include "agent/report/render/columns.h"
#include "agent/report/render/printable.h"
#include "agent/report/render/table.h"

namespace imagesweep {
namespace {

using Lines = std::vector<std::string>;

constexpr const char* kKeys =
    "q quit   s next order   / search   Esc show all images   ? hide keys";

// "[########|##-----]": the disk usage, with a mark where removal begins.
std::string DiskBar(int used_percent, int high_percent, std::size_t width) {
  std::string bar(width, '-');
  const auto at = [&](int percent) {
    return std::min(width, width * static_cast<std::size_t>(std::max(percent, 0)) / 100);
  };
  std::fill_n(bar.begin(), at(used_percent), '#');
  if (high_percent > 0 && at(high_percent) < width) bar[at(high_percent)] = '|';
  return "[" + bar + "]";
}

std::string DiskLine(const Report& report) {
  const auto& disk = report.observation.disk;
  if (!disk) return "Disk      not known";
  constexpr std::size_t kBar = 30;
  const Thresholds& thresholds = report.effective_policy.disk;
  std::string line = "Disk      " + DiskBar(disk->used_percent(), thresholds.high_percent, kBar) +
                     " " + std::to_string(disk->used_percent()) + "% of " +
                     HumanBytes(disk->capacity_bytes) + ", " + HumanBytes(disk->available_bytes) +
                     " available";
  if (thresholds.high_percent > 0)
    line += "; from " + std::to_string(thresholds.high_percent) + "% down to " +
            std::to_string(thresholds.low_percent) + "%";
  return line;
}

void AddTable(const Table& table, Lines& lines) {
  const std::string text = table.Render();
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
}

// One column for each state: seven lines would leave no room for the images.
void AddStates(const Report& report, Lines& lines) {
  std::map<std::string_view, std::pair<std::size_t, std::uint64_t>> by_state;
  for (const Decision& decision : report.plan.decisions) {
    auto& [count, bytes] = by_state[RowOf(decision.code).state];
    ++count;
    bytes += report.observation.images[decision.image].size_bytes;
  }
  std::vector<std::string> header{"STATE"}, counts{"COUNT"}, sizes{"SIZE"};
  for (const char* state : kImageStates) {
    const auto& [count, bytes] = by_state[state];
    header.emplace_back(state);
    counts.push_back(std::to_string(count));
    sizes.push_back(HumanBytes(bytes));
  }
  Table table(std::move(header));
  table.Add(std::move(counts));
  table.Add(std::move(sizes));
  AddTable(table, lines);
}

std::string Name(const Image& image) {
  return image.tags.empty() && image.digests.empty() ? ShownName(image) : NamesCell(image);
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

bool Matches(const Image& image, const std::string& lower_case_filter) {
  const auto has = [&](const std::string& name) {
    return LowerCase(name).find(lower_case_filter) != std::string::npos;
  };
  const auto named = [&](const ImageName& name) { return has(name.text()); };
  return has(Name(image)) || std::ranges::any_of(image.tags, named) ||
         std::ranges::any_of(image.digests, named);
}

// Milliseconds; in use: less than any other, never seen in use: more than any other.
std::int64_t SinceUse(const Report& report, ImagePos at) {
  const auto& last_used = report.observation.ages[at].last_used;
  if (report.plan.decisions[at].code == Code::kInUse)
    return std::numeric_limits<std::int64_t>::min();
  if (!last_used) return std::numeric_limits<std::int64_t>::max();
  return std::chrono::floor<Millis>(report.observation.at - *last_used).count();
}

std::vector<ImagePos> ShownImages(const Report& report, const WatchControls& controls) {
  const Observation& seen = report.observation;
  const std::string filter = LowerCase(controls.filter);
  // The largest number first, and images with the same number by name.
  const auto number = [&](ImagePos at) -> std::int64_t {
    switch (controls.order) {
      case ImageOrder::kName:
        return 0;
      case ImageOrder::kSize:
        return static_cast<std::int64_t>(seen.images[at].size_bytes);
      case ImageOrder::kAge:
        return seen.ages[at].unused_for.count();
      case ImageOrder::kLastUsed:
        return SinceUse(report, at);
    }
    return 0;
  };
  using Row = std::tuple<std::int64_t, std::string, ImagePos>;
  std::vector<Row> rows;
  for (const ImagePos at : Positions(seen.images))
    if (Matches(seen.images[at], filter)) rows.emplace_back(number(at), Name(seen.images[at]), at);
  std::ranges::sort(rows, [](const Row& a, const Row& b) {
    if (std::get<0>(a) != std::get<0>(b)) return std::get<0>(a) > std::get<0>(b);
    return std::tie(std::get<1>(a), std::get<2>(a)) < std::tie(std::get<1>(b), std::get<2>(b));
  });
  std::vector<ImagePos> shown;
  shown.reserve(rows.size());
  for (const Row& row : rows) shown.push_back(std::get<2>(row));
  return shown;
}

std::string LastUse(const Report& report, ImagePos at) {
  const auto& last_used = report.observation.ages[at].last_used;
  if (report.plan.decisions[at].code == Code::kInUse) return "in use";
  if (!last_used) return "never-seen";
  const auto ago = std::chrono::floor<Millis>(report.observation.at - *last_used);
  return HumanDuration(std::max(ago, Millis::zero())) + " ago";
}

// The header line and at most `room - 2` images.
void AddImages(const Report& report, const WatchControls& controls,
               const std::vector<ImagePos>& shown, std::size_t width, std::size_t room,
               Lines& lines) {
  if (room == 0) return;
  const std::size_t rows = std::min(shown.size(), room - std::min<std::size_t>(room, 2));
  std::string head = "Images    " + std::to_string(shown.size());
  if (!controls.filter.empty())
    head += " of " + std::to_string(report.observation.images.size()) + " with \"" +
            controls.filter + "\"";
  head += ", sorted by " + ToString(controls.order);
  if (rows < shown.size()) head += "; the screen has room for " + std::to_string(rows);
  lines.push_back(head);
  if (rows == 0) return;
  Table table({"SIZE", "AGE", "LAST-USED", "STATE", ""});
  for (std::size_t i = 0; i < rows; ++i) {
    const ImagePos at = shown[i];
    table.Add({HumanBytes(report.observation.images[at].size_bytes),
               AgeCell(report.observation.ages[at]), LastUse(report, at),
               std::string(RowOf(report.plan.decisions[at].code).state), "x"});
  }
  // The end of a name tells more than its beginning, so the name is in the last column, and a long
  // name loses its beginning.
  Lines cells;
  AddTable(table, cells);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) cells[i].pop_back();
    const std::size_t used = ColumnsOf(cells[i]);
    std::string name = "NAME";
    if (i > 0) name = Printable(Name(report.observation.images[shown[i - 1]]));
    if (i > 0 && used + 3 < width && used + ColumnsOf(name) > width)
      name = "..." + LastColumns(name, width - used - 3);
    lines.push_back(cells[i] + name);
  }
}

void AddEvents(const std::vector<std::string>& events, std::size_t room, Lines& lines) {
  if (room < 2 || events.empty()) return;
  lines.emplace_back();
  const std::size_t shown = std::min(events.size(), room - 1);
  lines.insert(lines.end(), events.end() - static_cast<std::ptrdiff_t>(shown), events.end());
}

std::string KeysLine(const WatchControls& controls, std::size_t width) {
  if (!controls.searching) return controls.shows_keys ? kKeys : "? keys";
  constexpr std::string_view kPrompt = "Search: ", kCursor = "_";
  const std::size_t used = kPrompt.size() + kCursor.size();
  return std::string(kPrompt) + LastColumns(controls.filter, width - std::min(width, used)) +
         std::string(kCursor) + "   Enter keep   Esc clear";
}

Lines Head(const WatchView& view) {
  const Report& report = view.report;
  Lines lines;
  lines.push_back("Node      " + report.node + "  " + report.runtime.name + " " +
                  report.runtime.version +
                  (report.evidence.without_kubernetes ? ", without Kubernetes" : "") + "  " +
                  FormatTime(report.finished).substr(0, 19) + "Z");
  lines.push_back("Policy    " + report.policy.description +
                  (report.effective_policy.suspend   ? ", suspended: nothing is removed"
                   : report.effective_policy.dry_run ? ", dry run: nothing is removed"
                                                     : ""));
  if (!view.runs.empty()) lines.push_back("Runs      " + view.runs);
  if (!view.next_run.empty()) lines.push_back("Next run  " + view.next_run);
  if (report.refused) {
    lines.push_back("Error     " + CannotRead(report.refused->source) + ": " +
                    report.refused->error.what);
    lines.emplace_back("No image is removed while this error persists.");
    return lines;
  }
  lines.push_back(DiskLine(report));
  lines.emplace_back();
  AddStates(report, lines);
  lines.emplace_back();
  return lines;
}

}  // namespace

std::string WatchScreen(const WatchView& view, std::size_t width, std::size_t height) {
  const Report& report = view.report;
  const WatchControls controls = view.controls.value_or(WatchControls());
  const std::size_t body = height - std::min<std::size_t>(height, view.controls ? 1 : 0);
  Lines lines = Head(view);
  std::size_t room = body - std::min(body, lines.size());
  if (!report.refused) {
    const auto shown = ShownImages(report, controls);
    // The images leave a third of the room to events, or more if they do not need it.
    const std::size_t events = view.events.empty() ? 0 : view.events.size() + 1;
    const std::size_t least = std::min(events, room / 3);
    const std::size_t before = lines.size();
    AddImages(report, controls, shown, width, room - least, lines);
    room -= lines.size() - before;
  }
  AddEvents(view.events, room, lines);
  lines.resize(body);
  if (body < height) lines.push_back(KeysLine(controls, width));
  std::string screen;
  for (std::size_t at = 0; at < lines.size(); ++at)
    screen += (at > 0 ? "\n" : "") + FirstColumns(Printable(lines[at]), width);
  return screen;
}

std::string NextRunText(const AgentStatus& status, SystemTime now) {
  if (status.running) return "in progress";
  if (!status.next_run) return {};
  const auto ahead = std::chrono::duration_cast<Millis>(*status.next_run - now);
  return (ahead > Millis::zero() ? "in " + HumanDuration(ahead) : "due now") +
         (status.suspend   ? " (suspended: removes nothing)"
          : status.dry_run ? " (dry run: removes nothing)"
                           : "");
}

}  // namespace imagesweep
