#include "agent/kube/client/json_filter.h"

#include <gmock/gmock.h>
#include <malloc.h>

#include <optional>
#include <vector>

#include "agent/kube/pods/pod_parser.h"
#include "agent/kube/workloads/workload_parser.h"
#include "tests/unit/kube/random_json.h"
#include "tests/unit/kube/workload_objects.h"

namespace imagesweep::kube {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using FeedResult = JsonFilter::FeedResult;

struct Collected {
  std::vector<std::string> objects;
  std::vector<std::string> items;
  FeedResult last = FeedResult::kNeedMore;
  bool mid_object = false;
};

Collected FeedInPieces(const Keep& keep, const std::string& text, std::size_t size) {
  Collected seen;
  JsonFilter filter(
      keep,
      [&](std::string_view one) {
        seen.objects.emplace_back(one);
        return true;
      },
      [&](std::string_view one) {
        seen.items.emplace_back(one);
        return true;
      });
  for (std::size_t at = 0; at < text.size() && seen.last == FeedResult::kNeedMore; at += size)
    seen.last = filter.Feed(std::string_view(text).substr(at, size));
  seen.mid_object = filter.mid_object();
  return seen;
}

// W07: pieces may end anywhere, also inside a UTF-8 sequence or an escape.
TEST(JsonFilterTest, CutsTheSameObjectsForEachPieceSize) {
  const std::vector<std::string> objects = {
      R"({"a":{"b":[1,2,{"c":"}{"}]}})", R"({"quote":"\"}","back":"\\"})",
      "{\"name\":\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\xb3\"}", "{}"};
  const std::string stream = objects[0] + "\n" + objects[1] + objects[2] + " \r\n\t" + objects[3];
  for (std::size_t size = 1; size <= stream.size(); ++size) {
    const Collected seen = FeedInPieces(KeepAll(), stream, size);
    EXPECT_THAT(seen.objects, ElementsAreArray(objects)) << "pieces of " << size;
    EXPECT_FALSE(seen.mid_object) << "pieces of " << size;
  }
}

TEST(JsonFilterTest, HandsOverNoHalfObject) {
  const Collected seen = FeedInPieces(KeepAll(), R"({"a":1}{"b":)", 5);
  EXPECT_THAT(seen.objects, ElementsAre(R"({"a":1})"));
  EXPECT_TRUE(seen.mid_object);
}

TEST(JsonFilterTest, StopsWhenTheReaderHasEnough) {
  int seen = 0;
  const Keep all = KeepAll();
  JsonFilter filter(all, [&](std::string_view) { return ++seen < 2; });
  EXPECT_EQ(filter.Feed("{}{}{}"), FeedResult::kStopped);
  EXPECT_EQ(seen, 2);
}

// W21
TEST(JsonFilterTest, RejectsTextThatIsNoStreamOfObjects) {
  const struct {
    const char* why;
    std::string text;
  } cases[] = {
      {"a proxy's page", "<html>"},
      {"a bare value", "12"},
      {"an array", "[{}]"},
      {"a comma between objects", "{},{}"},
      {"no key", "{1:2}"},
      {"no colon", R"({"a" 1})"},
      {"no comma", R"({"a":1 "b":2})"},
      {"a comma at the end", R"({"a":1,})"},
      {"a comma at the end of an array", R"({"a":[1,]})"},
      {"the other bracket", R"({"a":[1}})"},
      {"a value that is none", R"({"a":;})"},
      {"more levels than Go reads", "{\"a\":" + std::string(10'000, '[')},
      {"an object without end", "{\"a\":\"" + std::string(JsonFilter::kMaxKept + 1'000, 'x')},
      {"an object above the limit", "{\"a\":\"" + std::string(JsonFilter::kMaxKept, 'x') + "\"}"},
  };
  for (const auto& [why, text] : cases) {
    const Collected seen = FeedInPieces(KeepAll(), text, 16'384);
    EXPECT_EQ(seen.last, FeedResult::kMalformed) << why;
  }
}

// W21
TEST(JsonFilterTest, TakesAnObjectOfFourMebibytes) {
  const std::string large = "{\"a\":\"" + std::string(4U << 20, 'x') + "\"}";
  EXPECT_THAT(FeedInPieces(KeepAll(), large, 16'384).objects, ElementsAre(large));
}

TEST(JsonFilterTest, KeepsTheFieldsThatAreNamed) {
  const Keep keep = KeepFields({{"a", {}}, {"b", KeepFields({{"c", {}}})}, {"d", KeepAll()}});
  const struct {
    const char* text;
    const char* kept;
  } cases[] = {
      {R"({"x":{"a":1},"a":1,"y":[{"a":2}],"z":"a"})", R"({"a":1})"},
      {R"({"a":{"a":1},"b":[{"c":[1,2],"a":1},7]})", R"({"a":{},"b":[{"c":[]},7]})"},
      {R"({"b":{"c":[{"c":1}]}})", R"({"b":{"c":[]}})"},
      {R"({"d":{"x":[null,true,-1.5e3,"\u0041"]}})", R"({"d":{"x":[null,true,-1.5e3,"\u0041"]}})"},
      {R"({"\u0061":1})", R"({"a":1})"},
      {R"({"a":1,"\u0061":2})", R"({"a":1,"a":2})"},  // the reader must refuse it
      {R"({"x":1e99999,"y":"\ud800","b":{"z":{"z":1,"z":2}}})", R"({"b":{}})"},
      {R"({})", R"({})"},
  };
  for (const auto& [text, kept] : cases)
    EXPECT_THAT(FeedInPieces(keep, text, 1).objects, ElementsAre(kept)) << text;
}

TEST(JsonFilterTest, HandsOverItemsOneByOne) {
  const Keep keep = KeepFields({{"kind", {}}, {"items", KeepItems(KeepFields({{"n", {}}}))}});
  const Collected seen =
      FeedInPieces(keep, R"({"items":[{"n":1,"x":1},{},7,"t",[{"n":2}]],"kind":"L"})", 3);
  EXPECT_THAT(seen.items, ElementsAre(R"({"n":1})", "{}", "7", "\"t\"", R"([{"n":2}])"));
  EXPECT_THAT(seen.objects, ElementsAre(R"({"items":[],"kind":"L"})"));
  EXPECT_THAT(FeedInPieces(keep, R"({"items":null})", 3).objects, ElementsAre(R"({"items":null})"));
  EXPECT_THAT(FeedInPieces(keep, R"({"items":{"n":1}})", 3).objects,
              ElementsAre(R"({"items":{}})"));
}

TEST(JsonFilterTest, ReplacesALongTextByAMarkThatIsNoName) {
  const Keep keep = KeepFields({{"a", {}}, {"b", {}}});
  const std::string longest(JsonFilter::kLongestText, 'x');
  EXPECT_THAT(FeedInPieces(keep, R"({"a":")" + longest + R"("})", 100).objects,
              ElementsAre(R"({"a":")" + longest + R"("})"));
  EXPECT_THAT(FeedInPieces(keep, R"({"a":")" + longest + R"(\"y","b":1})", 100).objects,
              ElementsAre(R"~({"a":"(longer than 4096 bytes)","b":1})~"));
}

// The API server stores any data there, even text that is not valid JSON.
TEST(JsonFilterTest, KeepsFieldsThatNameImagesInAnUnknownFormat) {
  const Keep keep = KeepFields({{"data", {Keep::Kind::kUnknown, {}}}});
  const struct {
    const char* text;
    const char* kept;
  } cases[] = {
      {R"({"data":{"x":1e99999,"y":"z","image":"a"}})", R"({"data":{"image":"a"}})"},
      {R"({"data":["image",{"image":"a"}]})", R"({"data":[{"image":"a"}]})"},
      {R"({"data":{"image":"a","image":"b"}})", R"({"data":{"image":"a","image\u00011":"b"}})"},
      {R"({"data":{"image":"\ud800","name":"\u0061"}})",
       R"({"data":{"image":"?","name":"\u0061"}})"},
      {"{\"data\":{\"image\":\"\xff\",\"\xff\":{}}}", R"({"data":{"image":"?","?":{}}})"},
      {R"({"data":"raw"})", R"({})"},
  };
  for (const auto& [text, kept] : cases) {
    const Collected seen = FeedInPieces(keep, text, 1);
    EXPECT_THAT(seen.objects, ElementsAre(kept)) << text;
    ASSERT_EQ(seen.objects.size(), 1U);
    EXPECT_TRUE(ParseStrict(seen.objects.front())) << text;
  }
  const Collected deep = FeedInPieces(
      keep, "{\"data\":" + std::string(5'000, '[') + std::string(5'000, ']') + "}", 1000);
  ASSERT_EQ(deep.objects.size(), 1U);
  EXPECT_TRUE(ParseStrict(deep.objects.front()));
}

// A pod with random amounts of everything that the parser reads, between other random fields.
Json RandomPod(RandomJson& random) {
  const auto name = [&](const char* what) { return what + std::to_string(random.Below(20)); };
  Json pod = PodJson(name("pod"), name("app:"));
  pod["kind"] = "Pod";
  if (random.Chance(30)) pod["metadata"]["annotations"]["kubernetes.io/config.mirror"] = "abc";
  if (random.Chance(70)) pod["metadata"]["annotations"]["note"] = "x";
  pod["metadata"]["managedFields"] = random.Noise();
  for (const char* kind : {"containers", "initContainers", "ephemeralContainers"}) {
    for (std::size_t i = random.Below(3); i > 0; --i) {
      Json container = {{"name", name("c")}, {"image", name("img:")}, {"env", random.Noise()}};
      random.AddNoise(container);
      pod["spec"][kind].push_back(container);
    }
  }
  for (const char* kind :
       {"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"})
    for (std::size_t i = random.Below(3); i > 0; --i)
      pod["status"][kind].push_back({{"name", name("c")},
                                     {"image", name("img:")},
                                     {"imageID", name("sha256:")},
                                     {"state", random.Noise()}});
  for (std::size_t i = random.Below(3); i > 0; --i)
    pod["spec"]["volumes"].push_back(
        random.Chance(50) ? Json{{"name", name("v")}, {"image", {{"reference", name("vol:")}}}}
                          : Json{{"name", name("v")},
                                 {"secret", random.Noise()},
                                 {"csi", {{"volumeAttributes", {{"image", name("csi:")}}}}}});
  static const char* const kPhases[] = {"Pending", "Running", "Succeeded", "Failed"};
  pod["status"]["phase"] = kPhases[random.Below(4)];
  pod["status"]["conditions"] = {
      {{"type", "Ready"}, {"status", random.Chance(50) ? "True" : "False"}, {"x", random.Noise()}}};
  for (const char* part : {"metadata", "spec", "status"}) random.AddNoise(pod[part]);
  random.AddNoise(pod);
  return pod;
}

// A value that the parser must either refuse or accept like any other.
void Spoil(RandomJson& random, Json& pod) {
  static const char* const kPlaces[] = {"/kind",
                                        "/metadata",
                                        "/metadata/uid",
                                        "/metadata/name",
                                        "/metadata/annotations",
                                        "/spec",
                                        "/spec/containers",
                                        "/spec/containers/0/image",
                                        "/spec/containers/0/name",
                                        "/spec/volumes",
                                        "/spec/initContainers",
                                        "/status",
                                        "/status/phase",
                                        "/status/conditions",
                                        "/status/containerStatuses"};
  pod[Json::json_pointer(kPlaces[random.Below(std::size(kPlaces))])] = random.Noise();
}

std::string Told(const Result<Pod>& pod) {
  if (!pod) return "error: " + pod.error().what;
  std::string told = pod->key.uid + (pod->finished ? " finished" : "") +
                     (pod->ready ? " ready" : "") + (pod->key.mirror ? " mirror" : "");
  for (const auto& reference : pod->references)
    told += "\n" + reference.text + " <- " + reference.resolved + " @ " + reference.by.container +
            (reference.chosen ? "" : " shown");
  return told;
}

// The filtered text reads like the whole: with every reference, and every refusal.
TEST(JsonFilterTest, AFilteredPodIsReadAsTheWholeOne) {
  const Keep keep = PodKeep();
  int refused = 0;
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    RandomJson random(seed);
    Json pod = RandomPod(random);
    if (random.Chance(30)) Spoil(random, pod);
    const std::string text = random.Write(pod);
    const Collected seen = FeedInPieces(keep, text, 1 + random.Below(200));
    ASSERT_EQ(seen.objects.size(), 1U) << "seed " << seed;
    const auto kept = ParseStrict(seen.objects.front());
    ASSERT_TRUE(kept) << "seed " << seed << ": " << kept.error().what;
    EXPECT_LE(seen.objects.front().size(), text.size() + 200) << "seed " << seed;
    const std::string whole = Told(ParsePod(pod));
    EXPECT_EQ(Told(ParsePod(*kept)), whole) << "seed " << seed << ": " << text;
    refused += whole.starts_with("error");
  }
  EXPECT_GT(refused, 60);
}

// What the strict reader refuses in the kept part is refused.
TEST(JsonFilterTest, RejectsAmbiguousJsonInKeptFields) {
  for (const char* text :
       {R"({"spec":{"containers":[]},"spec":{}})", R"({"spec":{"containers":[],"containers":[]}})",
        R"({"metadata":{"uid":"a","u\u0069d":"b"}})", R"({"status":{"phase":"\ud800"}})",
        "{\"kind\":\"\xff\"}", R"({"kind":01})", R"({"kind":nil})"}) {
    const Collected seen = FeedInPieces(PodKeep(), text, 4);
    ASSERT_EQ(seen.objects.size(), 1U) << text;
    EXPECT_FALSE(ParseStrict(seen.objects.front())) << text;
  }
}

std::size_t HeapInUse() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// 500 pods of a megabyte each take no more memory than their images.
TEST(JsonFilterTest, UsesNoMemoryForDroppedFields) {
  Json pod = PodJson("big", "big:1");
  for (int i = 0; i < 100; ++i)
    pod["spec"]["containers"][0]["env"].push_back(
        {{"name", "E" + std::to_string(i)}, {"value", std::string(10'000, 'x')}});
  const std::string item = pod.dump();
  const Keep keep = KeepFields({{"items", KeepItems(PodKeep())}});
  std::size_t references = 0, most = 0;
  const std::size_t before = HeapInUse();
  JsonFilter filter(
      keep, [](std::string_view) { return true; },
      [&](std::string_view text) {
        references += ParsePod(*ParseStrict(text))->references.size();
        return true;
      });
  const auto feed = [&](std::string_view text) {
    for (std::size_t at = 0; at < text.size(); at += 16'384) {
      ASSERT_EQ(filter.Feed(text.substr(at, 16'384)), FeedResult::kNeedMore);
      most = std::max(most, HeapInUse());
    }
  };
  feed(R"({"items":[)");
  for (int i = 0; i < 500; ++i) {
    if (i > 0) feed(",");
    feed(item);
  }
  feed("]}");
  EXPECT_EQ(references, 500U);
  EXPECT_GT(item.size(), 1'000'000U);
  EXPECT_LT(most - before, 1U << 20);
}

}  // namespace
}  // namespace imagesweep::kube
