#include "agent/kube/json_splitter.h"

#include <gmock/gmock.h>

#include <vector>

namespace imagesweep::kube {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

struct Collected {
  std::vector<std::string> objects;
  JsonSplitter::Fed last = JsonSplitter::Fed::kWantsMore;
  bool mid_object = false;
};

Collected FeedInPieces(const std::string& text, std::size_t size) {
  JsonSplitter splitter;
  Collected seen;
  for (std::size_t at = 0; at < text.size() && seen.last == JsonSplitter::Fed::kWantsMore;
       at += size)
    seen.last = splitter.Feed(std::string_view(text).substr(at, size), [&](std::string_view one) {
      seen.objects.emplace_back(one);
      return true;
    });
  seen.mid_object = splitter.mid_object();
  return seen;
}

// W07: pieces may end anywhere, also inside a UTF-8 sequence or an escape.
TEST(JsonSplitterTest, CutsTheSameObjectsWhateverThePieces) {
  const std::vector<std::string> objects = {
      R"({"a":{"b":[1,2,{"c":"}{"}]}})", R"({"quote":"\"}","back":"\\"})",
      "{\"name\":\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\xb3\"}", "{}"};
  const std::string stream = objects[0] + "\n" + objects[1] + objects[2] + " \r\n\t" + objects[3];
  for (std::size_t size = 1; size <= stream.size(); ++size) {
    const Collected seen = FeedInPieces(stream, size);
    EXPECT_THAT(seen.objects, ElementsAreArray(objects)) << "pieces of " << size;
    EXPECT_FALSE(seen.mid_object) << "pieces of " << size;
  }
}

TEST(JsonSplitterTest, HandsOverNoHalfObject) {
  const Collected seen = FeedInPieces(R"({"a":1}{"b":)", 5);
  EXPECT_THAT(seen.objects, ElementsAre(R"({"a":1})"));
  EXPECT_TRUE(seen.mid_object);
}

TEST(JsonSplitterTest, StopsWhenTheReaderHasEnough) {
  JsonSplitter splitter;
  int seen = 0;
  EXPECT_EQ(splitter.Feed("{}{}{}", [&](std::string_view) { return ++seen < 2; }),
            JsonSplitter::Fed::kStopped);
  EXPECT_EQ(seen, 2);
}

// W21
TEST(JsonSplitterTest, RefusesWhatIsNoStreamOfObjects) {
  const struct {
    const char* why;
    std::string text;
  } cases[] = {
      {"a proxy's page", "<html>"},
      {"a bare value", "12"},
      {"an array", "[{}]"},
      {"a comma between objects", "{},{}"},
      {"depth 10,000", std::string(10'000, '[').insert(0, "{\"a\":")},
      {"an object without end", "{\"a\":\"" + std::string(JsonSplitter::kMaxObject + 1'000, 'x')},
      {"an object above the limit",
       "{\"a\":\"" + std::string(JsonSplitter::kMaxObject, 'x') + "\"}"},
  };
  for (const auto& [why, text] : cases) {
    const Collected seen = FeedInPieces(text, 16'384);
    EXPECT_EQ(seen.last, JsonSplitter::Fed::kMalformed) << why;
  }
}

// W21
TEST(JsonSplitterTest, TakesAnObjectOfFourMebibytes) {
  const std::string large = "{\"a\":\"" + std::string(4U << 20, 'x') + "\"}";
  EXPECT_THAT(FeedInPieces(large, 16'384).objects, ElementsAre(large));
}

}  // namespace
}  // namespace imagesweep::kube
