#include "agent/model/window.h"

#include <gtest/gtest.h>

#include <ctime>

namespace imagesweep {
namespace {

using std::chrono::minutes;

SystemTime Utc(const char* text) {
  std::tm parts{};
  EXPECT_NE(strptime(text, "%Y-%m-%d %H:%M:%S", &parts), nullptr) << text;
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

Window Make(std::vector<Weekday> days, int start_hour, int end_hour, std::string zone = "UTC") {
  return {std::move(days), minutes(start_hour * 60), minutes(end_hour * 60), std::move(zone)};
}

TEST(Window, HoldsFromItsStartToBeforeItsEnd) {
  const Window window = Make({}, 9, 17);
  EXPECT_FALSE(Contains(window, Utc("2026-03-02 08:59:59")));
  EXPECT_TRUE(Contains(window, Utc("2026-03-02 09:00:00")));
  EXPECT_TRUE(Contains(window, Utc("2026-03-02 16:59:59")));
  EXPECT_FALSE(Contains(window, Utc("2026-03-02 17:00:00")));
  const Window late = Make({Weekday::kMonday}, 22, 24);
  EXPECT_TRUE(Contains(late, Utc("2026-03-02 23:59:59")));
  EXPECT_FALSE(Contains(late, Utc("2026-03-03 00:00:00")));
}

TEST(Window, OverMidnightBelongsToTheDayOnWhichItStarts) {
  const Window weekend = Make({Weekday::kSaturday, Weekday::kSunday}, 22, 4);  // 2026-03-07: Sat
  EXPECT_FALSE(Contains(weekend, Utc("2026-03-07 03:00:00"))) << "Friday's night";
  EXPECT_FALSE(Contains(weekend, Utc("2026-03-07 21:59:00")));
  EXPECT_TRUE(Contains(weekend, Utc("2026-03-07 22:00:00")));
  EXPECT_TRUE(Contains(weekend, Utc("2026-03-08 03:59:59")));
  EXPECT_TRUE(Contains(weekend, Utc("2026-03-09 03:59:59"))) << "Sunday's night ends on Monday";
  EXPECT_FALSE(Contains(weekend, Utc("2026-03-09 22:00:00")));
  const Window whole_day = Make({Weekday::kSaturday}, 6, 6);
  EXPECT_TRUE(Contains(whole_day, Utc("2026-03-08 05:59:00")));
  EXPECT_FALSE(Contains(whole_day, Utc("2026-03-08 06:00:00")));
}

TEST(Window, FollowsTheClockOnTheWallOfItsTimeZone) {
  const Window berlin = Make({Weekday::kSunday}, 1, 4, "Europe/Berlin");
  EXPECT_TRUE(Contains(berlin, Utc("2026-03-01 00:30:00"))) << "01:30 in winter";
  EXPECT_FALSE(Contains(berlin, Utc("2026-03-01 03:00:00")));
  // 2026-03-29: 02:00 becomes 03:00, so the window lasts two hours.
  EXPECT_TRUE(Contains(berlin, Utc("2026-03-29 00:00:00")));
  EXPECT_TRUE(Contains(berlin, Utc("2026-03-29 01:30:00"))) << "03:30 in summer";
  EXPECT_FALSE(Contains(berlin, Utc("2026-03-29 02:00:00")));
  // 2026-10-25: 03:00 becomes 02:00, so the window lasts four hours.
  EXPECT_TRUE(Contains(berlin, Utc("2026-10-24 23:00:00")));
  EXPECT_TRUE(Contains(berlin, Utc("2026-10-25 02:59:59")));
  EXPECT_FALSE(Contains(berlin, Utc("2026-10-25 03:00:00")));
  const Window skipped = Make({}, 2, 3, "Europe/Berlin");
  EXPECT_FALSE(Contains(skipped, Utc("2026-03-29 01:00:00"))) << "that hour was left out";
}

TEST(Window, NeverOpensInAnUnknownTimeZone) {
  EXPECT_FALSE(Contains(Make({}, 0, 24, "Mars/Base"), Utc("2026-03-02 12:00:00")));
  EXPECT_TRUE(IsTimeZone("America/St_Johns"));
  for (const char* name : {"", "Mars/Base", "localtime", "libc:localtime", "../etc/passwd"})
    EXPECT_FALSE(IsTimeZone(name)) << name;
}

TEST(Window, TheNextOpeningIsTheFirstMinuteInAny) {
  const std::vector<Window> windows = {Make({Weekday::kSaturday}, 22, 4),
                                       Make({Weekday::kThursday}, 1, 2)};
  EXPECT_EQ(NextOpening(windows, Utc("2026-03-02 12:00:07")), Utc("2026-03-05 01:00:00"));
  EXPECT_EQ(NextOpening(windows, Utc("2026-03-05 02:00:00")), Utc("2026-03-07 22:00:00"));
  EXPECT_EQ(NextOpening(windows, Utc("2026-03-07 23:00:07")), Utc("2026-03-07 23:00:07"));
  const std::vector<Window> never = {Make({}, 0, 24, "Mars/Base")};
  EXPECT_FALSE(NextOpening(never, Utc("2026-03-02 12:00:00")));
  EXPECT_TRUE(AnyContains({}, Utc("2026-03-02 12:00:00"))) << "no windows: always";
}

}  // namespace
}  // namespace imagesweep
