#include "agent/imagestore/analysis/bloat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/imagestore/analysis/instruction.h"
#include "tests/unit/imagestore/spec.h"

namespace imagesweep::layers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kGiB = 1 << 30;

struct Step {
  const char* created_by;
  LabNode::Layer layer;  // without a name: an empty layer
};
LabNode::Layer Sized(const std::string& name, std::uint64_t bytes) {
  return {name, 0, {bytes, 10}};
}

// An image with a history. The names of the layers are their diff IDs.
ImagePos Build(LabNode& node, const std::string& name, const std::vector<Step>& steps) {
  std::vector<LabNode::Layer> layers;
  Spec::FactsOf facts{Id("cfg" + name), {}, {}};
  for (const Step& step : steps) {
    facts.history.emplace_back(step.created_by, step.layer.name.empty());
    if (step.layer.name.empty()) continue;
    facts.diff_ids.push_back(Id("diff" + step.layer.name));
    layers.push_back(step.layer);
  }
  node.spec.facts.push_back(facts);
  return node.Pull(name, layers);
}

std::vector<Advice> Of(const Bloat& bloat, AdviceKind kind) {
  std::vector<Advice> some;
  for (const Advice& advice : bloat.advice)
    if (advice.kind == kind) some.push_back(advice);
  return some;
}

Bloat Find(const LabNode& node, BloatLimits limits = {}) {
  return FindBloat(node.Graph(), node.images, limits);
}

// Twenty-two services that each copy the same backend of 7 GiB, where one base would do.
TEST(BloatTest, GivesOneAdviceForTheSameContextInManyServices) {
  LabNode node;
  const Step base{"/bin/sh -c #(nop) ADD file:3f8a7c2b1e9d4a6f05 in / ", Sized("os", 80 * kMiB)};
  for (std::uint64_t i = 0; i < 22; ++i) {
    const std::string number = std::to_string(i);
    Build(node, "svc" + number,
          {base,
           {"COPY . /app # buildkit", Sized("ctx" + number, 7 * kGiB + i * kMiB)},
           {"CMD [\"python\", \"main.py\"]", {}}});
  }
  const Bloat bloat = Find(node);
  ASSERT_THAT(bloat.look_alikes, SizeIs(1));
  const LookAlikes& group = bloat.look_alikes.front();
  EXPECT_EQ(group.instruction, "COPY . /app");
  EXPECT_FALSE(group.identical);
  EXPECT_TRUE(group.same_instruction);
  EXPECT_THAT(group.layers, SizeIs(22));
  EXPECT_THAT(group.repositories, SizeIs(22));
  // All but the largest: the sum of 7 GiB + 0 … 20 MiB.
  EXPECT_EQ(group.saved, 147 * kGiB + 210 * kMiB);
  EXPECT_EQ(bloat.chains.layers[bloat.heaviest.front()].bytes, 7 * kGiB + 21 * kMiB);
  EXPECT_THAT(bloat.heaviest, SizeIs(10));

  ASSERT_FALSE(bloat.advice.empty());
  const Advice& first = bloat.advice.front();
  EXPECT_EQ(first.kind, AdviceKind::kShareLayer);
  EXPECT_EQ(first.bytes, group.saved);
  EXPECT_THAT(first.images, SizeIs(22));
  EXPECT_EQ(bloat.without_history, 0U);
  EXPECT_LT(bloat.sharing.reuse(), 1.02) << "next to nothing is shared";
}

TEST(BloatTest, FindsSimilarLayersOfSeveralRepositories) {
  LabNode node;
  Build(node, "a", {{"RUN pip install torch==2.1.0", Sized("a", 1000 * kMiB)}});
  Build(node, "b", {{"RUN pip install torch==2.3.1", Sized("b", 980 * kMiB)}});
  Build(node, "c", {{"RUN pip install torch==2.3.1", Sized("c", 900 * kMiB)}});  // not near
  Build(node, "d", {{"RUN make", Sized("d", 1000 * kMiB)}});                     // another line
  Build(node, "e", {{"RUN tiny", Sized("e", kMiB)}});
  Build(node, "f", {{"RUN tiny", Sized("f", kMiB)}});
  const auto v1 = Build(node, "g", {{"RUN build", Sized("g1", 50 * kMiB)}});
  const auto v2 = Build(node, "h", {{"RUN build", Sized("g2", 50 * kMiB)}});
  node.images[v1].tags = {ImageName::Parse("service:1")};
  node.images[v2].tags = {ImageName::Parse("service:2")};
  const Bloat bloat = Find(node);
  ASSERT_THAT(bloat.look_alikes, SizeIs(1));
  EXPECT_EQ(bloat.look_alikes.front().saved, 980 * kMiB);
  EXPECT_FALSE(bloat.look_alikes.front().same_instruction) << "another version of torch";
  EXPECT_THAT(Of(bloat, AdviceKind::kShareLayer), IsEmpty());
  ASSERT_THAT(Of(bloat, AdviceKind::kSimilarLayers), SizeIs(1));
  EXPECT_THAT(bloat.look_alikes.front().repositories,
              ElementsAre("docker.io/library/a", "docker.io/library/b"));
  // The whole large instruction, not counted twice with the advice to share.
  const auto heavy = Of(bloat, AdviceKind::kHeavyLayer);
  ASSERT_THAT(heavy, SizeIs(1));
  EXPECT_EQ(heavy.front().subject, "RUN build");
  EXPECT_EQ(heavy.front().bytes, 100 * kMiB);
}

TEST(BloatTest, AdvisesOneBaseOnlyForTheSameInstruction) {
  LabNode node;
  Build(node, "a", {{"RUN pip install torch==2.1.0", Sized("a", 1000 * kMiB)}});
  Build(node, "b", {{"/bin/sh -c #(nop)  RUN pip install torch==2.1.0 ", Sized("b", 990 * kMiB)}});
  Build(node, "c", {{"RUN pip install torch==2.3.1", Sized("c", 995 * kMiB)}});
  const Bloat bloat = Find(node);
  const auto share = Of(bloat, AdviceKind::kShareLayer);
  ASSERT_THAT(share, SizeIs(1));
  EXPECT_EQ(share.front().subject, "RUN pip install torch==2.1.0");
  EXPECT_EQ(share.front().images, ImagesAt(0, 1));
  EXPECT_EQ(share.front().bytes, 990 * kMiB);
  // The largest of these two looks like the other version.
  const auto similar = Of(bloat, AdviceKind::kSimilarLayers);
  ASSERT_THAT(similar, SizeIs(1));
  EXPECT_EQ(similar.front().images, ImagesAt(0, 2));
  EXPECT_EQ(similar.front().bytes, 995 * kMiB);
  EXPECT_EQ(bloat.advice.back().kind, AdviceKind::kSimilarLayers) << "after what is known";
}

// Bazel writes one line for all layers of all images.
TEST(BloatTest, DoesNotAdviseSharingForALineThatIsNoInstruction) {
  for (const char* line : {"bazel build ...", "jib-maven-plugin:3.4.0", "COPY dir:# in /app"}) {
    LabNode node;
    Build(node, "a", {{line, Sized("a", 1000 * kMiB)}});
    Build(node, "b", {{line, Sized("b", 990 * kMiB)}});
    const bool is_instruction = std::string_view(line).starts_with("COPY");
    const Bloat bloat = Find(node);
    EXPECT_EQ(Of(bloat, AdviceKind::kShareLayer).size(), is_instruction ? 1U : 0U) << line;
    EXPECT_EQ(Of(bloat, AdviceKind::kSimilarLayers).size(), is_instruction ? 0U : 1U) << line;
  }
}

// The old builder names a digest of the files: these are not the same files.
TEST(BloatTest, DigestsThatDifferInTheInstructionAreNotOneInstruction) {
  LabNode node;
  Build(node, "a", {{"/bin/sh -c #(nop) COPY dir:4f8e0a1b2c3d4e5f60 in /app ", Sized("a", kGiB)}});
  Build(node, "b", {{"/bin/sh -c #(nop) COPY dir:5f8e0a1b2c3d4e5f60 in /app ", Sized("b", kGiB)}});
  EXPECT_THAT(Of(Find(node), AdviceKind::kShareLayer), IsEmpty());
  EXPECT_THAT(Of(Find(node), AdviceKind::kSimilarLayers), SizeIs(1));
}

TEST(BloatTest, ALineIsAllItsLayersUnderTheTextOfItsLargest) {
  LabNode node;
  const Step base{"ADD os /", Sized("os", 80 * kMiB)};
  Build(node, "a", {base, {"RUN pip install torch==2.1.0", Sized("a", 900 * kMiB)}});
  Build(node, "b", {base, {"RUN pip install torch==2.0.9", Sized("b", 900 * kMiB)}});
  Build(node, "c", {base, {"RUN pip install torch==1.13.1", Sized("c", 700 * kMiB)}});
  const std::vector<BuildLine> lines = Find(node).lines;
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[0].text, "RUN pip install torch==2.0.9") << "of two as large the first in order";
  EXPECT_EQ(lines[0].bytes, 2500 * kMiB);
  EXPECT_THAT(lines[0].layers, SizeIs(3));
  EXPECT_EQ(lines[0].images, ImagesAt(0, 1, 2));
  EXPECT_EQ(lines[1].text, "ADD os /");
  EXPECT_EQ(lines[1].bytes, 80 * kMiB) << "on disk once";
  EXPECT_EQ(lines[1].images, ImagesAt(0, 1, 2));
}

TEST(BloatTest, TheSameContentOnDifferentParentsIsOrderedWrongly) {
  LabNode node;
  for (const char* name : {"a", "b", "c"})
    Build(node, name,
          {{"COPY config /etc", Sized(std::string("own-") + name, 20 * kMiB)},
           {"RUN apt-get install -y ffmpeg", Sized("ffmpeg", 300 * kMiB)}});
  const auto order = Of(Find(node), AdviceKind::kOrderLayers);
  ASSERT_THAT(order, SizeIs(1));
  EXPECT_EQ(order.front().bytes, 600 * kMiB);
  EXPECT_EQ(order.front().subject, "RUN apt-get install -y ffmpeg");
  EXPECT_EQ(order.front().images, ImagesAt(0, 1, 2));
  EXPECT_THAT(Of(Find(node), AdviceKind::kHeavyLayer), IsEmpty());
}

TEST(BloatTest, DoesNotCallASharedLayerSimilarToItself) {
  LabNode node;
  const Step shared{"RUN pip install torch", Sized("torch", 900 * kMiB)};
  Build(node, "a", {shared, {"COPY a /", Sized("a", kMiB)}});
  Build(node, "b", {shared, {"COPY b /", Sized("b", kMiB)}});
  const Bloat bloat = Find(node);
  EXPECT_THAT(bloat.look_alikes, IsEmpty());
  EXPECT_EQ(bloat.chains.layers[bloat.heaviest.front()].images, ImagesAt(0, 1));
  EXPECT_GT(bloat.sharing.reuse(), 1.9);
}

TEST(BloatTest, AHistoryThatDoesNotFitIsNotUsed) {
  LabNode node;
  Build(node, "a", {{"RUN x", Sized("a", 100 * kMiB)}});
  Build(node, "b", {{"RUN x", Sized("b", 100 * kMiB)}});
  node.spec.facts.back().history.emplace_back("RUN one too many", false);
  Build(node, "c", {{"RUN x", Sized("c", 100 * kMiB)}});
  node.spec.facts.back().history.clear();
  const Bloat bloat = Find(node);
  EXPECT_EQ(bloat.without_history, 2U);
  EXPECT_THAT(bloat.look_alikes, IsEmpty());
  EXPECT_EQ(bloat.chains.layers[bloat.chains.of_image[ImagePos(1)].front()].created_by, "");
}

TEST(BloatTest, EqualButForTagsOrForTheConfiguration) {
  LabNode node;
  const std::vector<Step> steps = {{"RUN x", Sized("x", 50 * kMiB)}};
  const auto one = Build(node, "one", steps);
  const auto two = Build(node, "two", steps);
  node.images[one].tags = {ImageName::Parse("app:latest"), ImageName::Parse("app:v2"),
                           ImageName::Parse("mirror/app:v2")};
  const Bloat bloat = Find(node);
  const auto same = Of(bloat, AdviceKind::kSameLayers);
  ASSERT_THAT(same, SizeIs(1));
  EXPECT_EQ(same.front().images, ImagesAt(one, two));
  EXPECT_EQ(same.front().bytes, 8192U) << "one manifest and one config";
  const auto tags = Of(bloat, AdviceKind::kManyTags);
  ASSERT_THAT(tags, SizeIs(1));
  EXPECT_EQ(tags.front().subject, "docker.io/library/app: latest, v2");
}

TEST(BloatTest, BasesThatDifferInThePatchVersionAlone) {
  LabNode node;
  const auto python = [&](const std::string& name, const char* env, const std::string& version) {
    return Build(node, name,
                 {{"ADD rootfs.tar.xz / # buildkit", Sized("os" + version, 80 * kMiB)},
                  {env, {}},
                  {"RUN build python", Sized("py" + version, 200 * kMiB)},
                  {"COPY src /", Sized("src" + name, 5 * kMiB)}});
  };
  python("a", "ENV PYTHON_VERSION=3.11.9", "9");
  python("b", "ENV PYTHON_VERSION=3.11.9", "9");
  python("c", "/bin/sh -c #(nop)  ENV PYTHON_VERSION=3.11.10", "10");
  python("d", "ENV PYTHON_VERSION=3.12.1", "12");
  const auto advice = Of(Find(node), AdviceKind::kPatchVersions);
  ASSERT_THAT(advice, SizeIs(1)) << "another minor version is another matter";
  EXPECT_EQ(advice.front().subject, "PYTHON_VERSION 3.11: 3.11.9, 3.11.10");
  EXPECT_EQ(advice.front().images, ImagesAt(0, 1, 2));
  // c moves to the version of a and b: its base is freed, and its own sources stay.
  EXPECT_EQ(advice.front().bytes, 280 * kMiB);
}

TEST(BloatTest, BasesTellTheirVersionByTheirTag) {
  LabNode node;
  const auto base = [&](const std::string& version) {
    const Step os{"ADD rootfs", Sized("os" + version, 100 * kMiB)};
    const auto at = Build(node, "base" + version, {os});
    node.images[at].tags = {ImageName::Parse("node:" + version)};
    Build(node, "app" + version, {os, {"COPY x", Sized("x" + version, kMiB)}});
  };
  base("20.1.0-slim");
  base("20.1.3-slim");
  base("20.2.0-slim");
  base("20.1.9");  // another flavour
  const auto advice = Of(Find(node), AdviceKind::kPatchVersions);
  ASSERT_THAT(advice, SizeIs(1));
  EXPECT_EQ(advice.front().subject, "docker.io/library/node 20.1-slim: 20.1.0, 20.1.3");
  EXPECT_EQ(advice.front().bytes, 100 * kMiB);
}

TEST(BloatTest, FindsNoChainWhenParentsFormACycle) {
  LabNode node;
  Build(node, "a", {{"RUN x", Sized("x", 50 * kMiB)}, {"RUN y", Sized("y", 50 * kMiB)}});
  for (auto& snapshot : node.spec.snapshots)
    if (snapshot.parent.empty()) snapshot.parent = Id("cxy");
  const Bloat bloat = Find(node);
  EXPECT_THAT(bloat.chains.of_image[ImagePos(0)], IsEmpty());
  EXPECT_EQ(bloat.without_history, 0U) << "it has no layers that could have one";
}

TEST(InstructionTest, OmitsPartsThatChangeBetweenBuilds) {
  const std::pair<const char*, const char*> cases[] = {
      {"COPY . /app # buildkit", "COPY . /app"},
      {"/bin/sh -c #(nop) COPY dir:4f8e0a1b2c3d4e5f60 in /app ", "COPY dir:# in /app"},
      {"RUN pip install torch==2.1.0", "RUN pip install torch==#"},
      {"RUN pip  install torch==2.10", "RUN pip install torch==#"},
      {"RUN apt-get install python3.11-dev", "RUN apt-get install python#-dev"},
      {"ENV A=cafe", "ENV A=cafe"},
      {"", ""},
  };
  for (const auto& [text, shape] : cases) EXPECT_EQ(InstructionShape(text), shape) << text;
}

TEST(InstructionTest, ReadsVersionSettings) {
  struct Case {
    const char* text;
    const char* name;  // nullptr: none
    const char* full;
  };
  for (const Case& its : {Case{"ENV PYTHON_VERSION=3.11.4", "PYTHON_VERSION", "3.11.4"},
                          {"/bin/sh -c #(nop)  ENV NODE_VERSION=20.1.0", "NODE_VERSION", "20.1.0"},
                          {"ENV NGINX_VERSION 1.25.3", "NGINX_VERSION", "1.25.3"},
                          {"ENV A_VERSION=3.11", nullptr, nullptr},
                          {"ENV A_VERSION=3..1", nullptr, nullptr},
                          {"ENV A_VERSION=1.2.3-rc1", nullptr, nullptr},
                          {"ENV A_VERSION", nullptr, nullptr},
                          {"ENV PATH=/usr/bin", nullptr, nullptr},
                          {"RUN echo PYTHON_VERSION=3.11.4", nullptr, nullptr}}) {
    const auto setting = ReadVersionSetting(its.text);
    ASSERT_EQ(setting.has_value(), its.name != nullptr) << its.text;
    if (!setting) continue;
    EXPECT_EQ(setting->name, its.name);
    EXPECT_EQ(setting->full, its.full);
  }
}

}  // namespace
}  // namespace imagesweep::layers
