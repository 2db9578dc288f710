// The answers of the API server and their meaning: Status objects, strict JSON, endings of a watch.
#include <gmock/gmock.h>

#include "agent/base/printable_ascii.h"
#include "agent/kube/watch/reflector.h"
#include "tests/unit/kube/objects.h"

namespace imagesweep::kube {
namespace {

using testing::HasSubstr;
using Next = WatchEnding::Next;

// W02: the three forms of client-go's isTooLargeResourceVersionError.
TEST(ApiStatusTest, KnowsEverySpellingOfATooLargeVersion) {
  const char* spellings[] = {
      R"({"code":504,"reason":"Timeout","details":{"causes":[{"reason":"ResourceVersionTooLarge"}]}})",
      R"({"code":504,"reason":"Timeout","details":{"causes":[{"message":"Too large resource version"}]}})",
      R"({"code":504,"reason":"Timeout","message":"Too large resource version: 30, current: 20"})"};
  for (const char* spelling : spellings) {
    EXPECT_TRUE(ReadStatus(*ParseStrict(spelling)).too_large()) << spelling;
    EXPECT_EQ(AfterRefusal(ReadStatus(*ParseStrict(spelling))).next, Next::kRelist) << spelling;
  }
  EXPECT_FALSE(ReadStatus(StatusJson(504, "Timeout", "etcd is slow")).too_large());
}

TEST(ApiStatusTest, ReadsAnswersThatAreNotAStatus) {
  const ApiStatus page =
      ReadStatus(HttpResponse{502, {}, "<html>\nBad \x1b[31mgateway\xff</html>"});
  EXPECT_EQ(page.code, 502);
  EXPECT_EQ(page.ToError().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(page.ToError().what, "the API server answered 502: <html>?Bad ?[31mgateway?</html>");
  const ApiStatus wrong =
      ReadStatus(HttpResponse{403, {}, R"({"code":"x","reason":7,"details":[]})"});
  EXPECT_EQ(wrong.code, 403);
  EXPECT_EQ(wrong.ToError().kind, ErrorKind::kDenied);
}

TEST(ApiStatusTest, TakesTheWaitFromHeaderOrDetails) {
  EXPECT_EQ(ReadStatus(HttpResponse{429, std::chrono::seconds(7), "{}"}).retry_after,
            std::chrono::seconds(7));
  EXPECT_EQ(
      ReadStatus(*ParseStrict(R"({"code":429,"details":{"retryAfterSeconds":3}})")).retry_after,
      std::chrono::seconds(3));
  EXPECT_FALSE(ReadStatus(HttpResponse{503, {}, ""}).retry_after);
}

// W21
TEST(StrictJsonTest, RejectsAmbiguousJson) {
  const struct {
    const char* why;
    std::string text;
    const char* says;
  } cases[] = {
      {"no JSON", "{", "JSON"},
      {"a key twice", R"({"image":"a","image":"b"})", "appears twice"},
      {"a key twice, spelled differently", R"({"image":"a","im\u0061ge":"b"})", "appears twice"},
      {"a key twice, deep down", R"({"a":[{"b":1,"b":1}]})", "appears twice"},
      {"invalid UTF-8", "{\"a\":\"\xff\xfe\"}", "UTF-8"},
      {"a surrogate in UTF-8", "{\"a\":\"\xed\xa0\x80\"}", "UTF-8"},
      {"depth 10,000", std::string(10'000, '[') + std::string(10'000, ']'), "nested too deeply"},
      {"two values", "{} {}", "JSON"},
  };
  for (const auto& [why, text, says] : cases) {
    const auto json = ParseStrict(text);
    ASSERT_FALSE(json) << why;
    EXPECT_EQ(json.error().kind, ErrorKind::kIncomplete) << why;
    EXPECT_THAT(json.error().what, HasSubstr(says)) << why;
  }
  EXPECT_TRUE(ParseStrict(R"({"a":{"x":1},"b":{"x":1}})")) << "the same key in two objects";
}

TEST(PrintableTest, IsOneShortLineForAnyInput) {
  EXPECT_EQ(PrintableAscii("a\nb\x1b[0m\xc3\xbc\x7f"), "a?b?[0m???");
  EXPECT_EQ(PrintableAscii(std::string(64'000, 'x')).size(), 203U);
}

struct EndingCase {
  const char* why;
  WatchEnding ending;
  Next next;
  bool lost;
};

// W03, W09, W11, W12, W20: the meaning of each ending.
TEST(WatchEndingTest, RelistsOnlyWhenSomethingMayBeMissed) {
  const auto refused = [](int code, const char* reason) {
    return AfterRefusal(ReadStatus(StatusJson(code, reason)));
  };
  const auto event = [](int code, const char* reason) {
    return AfterErrorEvent(ReadStatus(StatusJson(code, reason)));
  };
  const Error why{ErrorKind::kUnavailable, "connection reset"};
  const EndingCase cases[] = {
      {"410 at start", refused(410, "Expired"), Next::kRelist, true},
      {"410 at start, old reason", refused(410, "Gone"), Next::kRelist, true},
      {"reason Gone alone", refused(500, "Gone"), Next::kRelist, true},
      {"429 at start", refused(429, "TooManyRequests"), Next::kResume, true},
      {"500 at start", refused(500, "InternalError"), Next::kResume, true},
      {"503 at start", refused(503, "ServiceUnavailable"), Next::kResume, true},
      {"401 at start", refused(401, "Unauthorized"), Next::kResume, true},
      {"403 at start", refused(403, "Forbidden"), Next::kResume, true},
      {"400 at start", refused(400, "BadRequest"), Next::kRelist, true},
      {"404 at start", refused(404, "NotFound"), Next::kRelist, true},
      {"410 in stream", event(410, "Expired"), Next::kRelist, true},
      {"410 in stream, old reason", event(410, "Gone"), Next::kRelist, true},
      {"429 in stream", event(429, "TooManyRequests"), Next::kResume, true},
      {"500 in stream", event(500, "InternalError"), Next::kRelist, true},
      {"no status in stream", event(0, ""), Next::kRelist, true},
      {"unreadable", AfterUnreadable(why), Next::kRelist, true},
      {"reset", AfterBreak(why), Next::kResume, true},
      {"end after five minutes", AfterEnd(std::chrono::minutes(5), false), Next::kResume, false},
      {"end at once with an event", AfterEnd(Millis(10), true), Next::kResume, false},
      {"end at once without one", AfterEnd(Millis(999), false), Next::kResume, true},
  };
  for (const auto& [name, ending, next, lost] : cases) {
    EXPECT_EQ(ending.next, next) << name;
    EXPECT_EQ(ending.lost.has_value(), lost) << name;
  }
}

}  // namespace
}  // namespace imagesweep::kube
