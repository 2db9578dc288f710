#include <gmock/gmock.h>

#include <algorithm>
#include <sstream>

#include "agent/report/documents/watch_controls.h"
#include "agent/report/documents/watch_screen.h"
#include "agent/report/render/columns.h"
#include "tests/support/report.h"

namespace imagesweep {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

const Key kEnter{Key::Kind::kEnter}, kEscape{Key::Kind::kEscape}, kBackspace{Key::Kind::kBackspace};

// The controls after these characters, one key each.
WatchControls Type(const std::string& characters, WatchControls controls = {}) {
  for (const char c : characters)
    controls = Apply(std::move(controls), {Key::Kind::kCharacter, std::string(1, c)});
  return controls;
}

TEST(WatchControls, QuitsOnQ) {
  EXPECT_FALSE(Type("xQs?").quit);
  EXPECT_TRUE(Type("q").quit);
}

TEST(WatchControls, CyclesTheOrder) {
  EXPECT_EQ(Type("s").order, ImageOrder::kSize);
  EXPECT_EQ(Type("ss").order, ImageOrder::kAge);
  EXPECT_EQ(Type("sss").order, ImageOrder::kLastUsed);
  EXPECT_EQ(Type("ssss").order, ImageOrder::kName);
}

TEST(WatchControls, ShowsAndHidesTheKeys) {
  EXPECT_TRUE(Type("?").shows_keys);
  EXPECT_FALSE(Type("??").shows_keys);
}

TEST(WatchControls, TakesEachCharacterOfASearchAsText) {
  const WatchControls controls = Type("/sq?/");
  EXPECT_EQ(controls, (WatchControls{.filter = "sq?/", .searching = true}));
}

TEST(WatchControls, KeepsTheFilterOnEnter) {
  const WatchControls kept = Apply(Type("/api"), kEnter);
  EXPECT_EQ(kept, (WatchControls{.filter = "api"}));
  EXPECT_TRUE(Type("q", kept).quit);
}

TEST(WatchControls, ClearsTheFilterOnEscape) {
  EXPECT_EQ(Apply(Type("/api"), kEscape), WatchControls());
  EXPECT_EQ(Apply(Apply(Type("/api"), kEnter), kEscape), WatchControls());
}

TEST(WatchControls, BeginsEachSearchWithoutText) {
  EXPECT_EQ(Type("/db", Apply(Type("/api"), kEnter)).filter, "db");
}

TEST(WatchControls, RemovesOneCharacterOnBackspace) {
  WatchControls controls = Apply(Type("/a"), {Key::Kind::kCharacter, "\u00e9"});
  controls = Apply(std::move(controls), kBackspace);
  EXPECT_EQ(controls.filter, "a");
  controls = Apply(Apply(std::move(controls), kBackspace), kBackspace);
  EXPECT_EQ(controls, (WatchControls{.searching = true}));
}

TEST(WatchControls, LimitsTheFilter) {
  EXPECT_EQ(Type("/" + std::string(1000, 'x')).filter.size(), 256U);
}

std::vector<std::string> LinesOf(const std::string& screen) {
  std::vector<std::string> lines;
  std::istringstream text(screen);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  if (screen.ends_with('\n')) lines.emplace_back();
  return lines;
}

std::string Screen(const Report& report, const WatchControls& controls, std::size_t width = 100,
                   std::size_t height = 30) {
  const std::vector<std::string> events;
  return WatchScreen({report, events, "", "", controls}, width, height);
}

// The images of the screen from top to bottom, by their last characters.
std::string OrderOf(const std::string& screen) {
  std::string order;
  for (const std::string& line : LinesOf(screen))
    for (const char* name : {"app:1", "app:2", "idle:1"})
      if (line.ends_with(name)) order += (order.empty() ? "" : " ") + std::string(name);
  return order;
}

// app:2 is in use and the youngest; idle:1 is the largest and never seen in use; app:1 is old.
Report Sample() {
  Report report = SampleReport();
  auto& ages = report.observation.ages;
  ages[ImagePos(0)].unused_for = Millis(0);
  ages[ImagePos(0)].last_used = report.observation.at;
  ages[ImagePos(1)].unused_for = std::chrono::hours(72);
  ages[ImagePos(1)].last_used = report.observation.at - std::chrono::hours(72);
  ages[ImagePos(2)].unused_for = std::chrono::hours(24);
  return report;
}

TEST(WatchScreen, ShowsDiskMarksStatesAndTheNewestEventsThatFit) {
  const Report report = SampleReport();
  std::vector<std::string> events;
  for (int i = 0; i < 50; ++i) events.push_back("event " + std::to_string(i));
  const std::string screen = WatchScreen({report, events, "last 3m ago"}, 80, 24);
  for (const char* part :
       {"node1", "containerd 1.6.20", "90% of", "in_use", "candidate", "event 49", "last 3m ago"})
    EXPECT_THAT(screen, HasSubstr(part));
  EXPECT_THAT(screen, Not(HasSubstr("event 1\n")));
  EXPECT_EQ(OrderOf(screen), "app:1 app:2 idle:1");
}

TEST(WatchScreen, NeverExceedsTheTerminal) {
  Report report = Sample();
  for (int i = 0; i < 40; ++i) {
    report.observation.images.push_back(
        Img("x" + std::to_string(i), {"registry.example/" + std::string(90, 'n') + ":v1"}, 1));
    report.observation.ages.emplace_back();
    report.plan.decisions.push_back(report.plan.decisions[ImagePos(2)]);
    report.plan.decisions.back().image = ImagePos(static_cast<std::size_t>(i) + 3);
  }
  const std::vector<std::string> events(50, "\u955c\u50cf" + std::string(200, 'e'));
  for (const bool keys : {false, true})
    for (const char* typed : {"", "?", "/nnn"})
      for (const std::size_t width : {0U, 1U, 7U, 40U, 80U, 200U})
        for (const std::size_t height : {1U, 2U, 5U, 12U, 24U, 60U}) {
          WatchView view{report, events, "last 3m ago", "in 12m", {}};
          if (keys) view.controls = Type(typed);
          const auto lines = LinesOf(WatchScreen(view, width, height) + "\n");
          EXPECT_EQ(lines.size(), height + 1) << width << "x" << height;
          for (const std::string& line : lines)
            EXPECT_LE(ColumnsOf(line), width) << width << "x" << height << ": " << line;
        }
  EXPECT_EQ(WatchScreen({report, events, "", "", Type("?")}, 80, 0), "");
}

TEST(WatchScreen, SortsTheImagesAndNamesTheOrder) {
  const Report report = Sample();
  EXPECT_EQ(OrderOf(Screen(report, Type(""))), "app:1 app:2 idle:1");
  EXPECT_EQ(OrderOf(Screen(report, Type("s"))), "idle:1 app:1 app:2");
  EXPECT_EQ(OrderOf(Screen(report, Type("ss"))), "app:1 idle:1 app:2");
  EXPECT_EQ(OrderOf(Screen(report, Type("sss"))), "idle:1 app:1 app:2");
  EXPECT_THAT(Screen(report, Type("")), HasSubstr("Images    3, sorted by name\n"));
  EXPECT_THAT(Screen(report, Type("s")), HasSubstr("sorted by size\n"));
  EXPECT_THAT(Screen(report, Type("ss")), HasSubstr("sorted by age\n"));
  EXPECT_THAT(Screen(report, Type("sss")), HasSubstr("sorted by last used\n"));
}

TEST(WatchScreen, SortsByTheLastUseOfUnusedImages) {
  Report report = Sample();
  report.observation.ages[ImagePos(2)].last_used = report.observation.at - std::chrono::hours(24);
  const std::string screen = Screen(report, Type("sss"));
  EXPECT_EQ(OrderOf(screen), "app:1 idle:1 app:2");
  EXPECT_THAT(screen, AllOf(HasSubstr("3d ago"), HasSubstr("24h ago"), HasSubstr("in use")));
}

TEST(WatchScreen, ShowsOnlyImagesWithTheFilterInANameInAnyCase) {
  const std::string screen = Screen(Sample(), Type("/APP"));
  EXPECT_EQ(OrderOf(screen), "app:1 app:2");
  EXPECT_THAT(screen, HasSubstr("Images    2 of 3 with \"APP\", sorted by name\n"));
  EXPECT_THAT(screen, EndsWith("\nSearch: APP_   Enter keep   Esc clear"));
}

TEST(WatchScreen, FindsAnImageByEachOfItsTags) {
  Report report = Sample();
  report.observation.images[ImagePos(2)] = Img("i", {"idle:1", "alias:9"}, 1);
  EXPECT_THAT(Screen(report, Type("/alias")), HasSubstr("Images    1 of 3"));
}

TEST(WatchScreen, SaysHowManyImagesFit) {
  Report report = Sample();
  // Of 11 lines, 8 are above the images, and two are their headers.
  const std::string screen = Screen(report, Type(""), 100, 12);
  EXPECT_THAT(screen, HasSubstr("Images    3, sorted by name; the screen has room for 1\n"));
  EXPECT_EQ(OrderOf(screen), "app:1");
}

TEST(WatchScreen, KeepsTheEndOfALongName) {
  Report report = Sample();
  report.observation.images[ImagePos(0)] =
      Img("u", {"registry.example/" + std::string(90, 'n') + ":v1.2.3"}, 1000);
  EXPECT_THAT(Screen(report, Type(""), 80), AllOf(HasSubstr("...nnn"), HasSubstr("nnn:v1.2.3\n")));
}

TEST(WatchScreen, ShowsTheKeysOnTheLastLine) {
  EXPECT_THAT(Screen(Sample(), Type("")), EndsWith("\n? keys"));
  EXPECT_THAT(LinesOf(Screen(Sample(), Type("?"), 80)).back(),
              AllOf(HasSubstr("q quit"), HasSubstr("s next order"), HasSubstr("/ search"),
                    HasSubstr("Esc show all images"), HasSubstr("? hide keys")));
  const Report report = Sample();
  EXPECT_THAT(WatchScreen({report, {}, ""}, 80, 24), Not(HasSubstr("? keys")));
}

TEST(WatchScreen, ShowsTheNextRunOnlyIfItIsKnown) {
  const Report report = Sample();
  EXPECT_THAT(WatchScreen({report, {}, "", "in 12m"}, 80, 24), HasSubstr("\nNext run  in 12m\n"));
  EXPECT_THAT(WatchScreen({report, {}, ""}, 80, 24), Not(HasSubstr("Next run")));
}

TEST(WatchScreen, SaysWhatItCannotRead) {
  Report report;
  report.refused = Refusal{"pods", {ErrorKind::kDenied, "403"}};
  const std::string screen = WatchScreen({report, {}, "", "", Type("")}, 80, 24);
  EXPECT_THAT(screen, AllOf(HasSubstr("Error     cannot read pods: 403"), EndsWith("? keys"),
                            Not(HasSubstr("Images "))));
}

TEST(NextRunText, SaysWhenAndWhetherTheRunRemovesImages) {
  const SystemTime now(std::chrono::hours(1000));
  AgentStatus status;
  status.dry_run = false;
  EXPECT_EQ(NextRunText(status, now), "");
  status.next_run = now + std::chrono::minutes(12);
  EXPECT_EQ(NextRunText(status, now), "in 12m");
  EXPECT_EQ(NextRunText(status, now + std::chrono::hours(1)), "due now");
  status.dry_run = true;
  EXPECT_EQ(NextRunText(status, now), "in 12m (dry run: removes nothing)");
  status.suspend = true;
  EXPECT_EQ(NextRunText(status, now), "in 12m (suspended: removes nothing)");
  status.running = true;
  EXPECT_EQ(NextRunText(status, now), "in progress");
}

TEST(Columns, CountsWideCharactersTwice) {
  EXPECT_EQ(ColumnsOf("a\u00e9\u955c"), 4U);
  EXPECT_EQ(FirstColumns("a\u955c\u50cf", 4), "a\u955c");
  EXPECT_EQ(LastColumns("a\u955c\u50cf", 3), "\u50cf");
  EXPECT_EQ(FirstColumns("abc", 5), "abc");
  EXPECT_EQ(LastColumns("abc", 0), "");
}

}  // namespace
}  // namespace imagesweep
