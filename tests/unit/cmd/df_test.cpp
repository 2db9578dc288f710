#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/cmd/commands.h"
#include "tests/support/fake_cri.h"
#include "tests/support/images.h"

// df on runtimes that do not report the size of a layer.

namespace imagesweep {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t kMiB = 1 << 20;

struct Printed {
  int code;
  std::string out, err;
};

Printed Df(const FakeCri& fake, Output output = Output::kTable,
           const std::vector<std::string>& if_removed = {}) {
  Options options;
  options.runtime_endpoints = {fake.Endpoint()};
  options.output = output;
  options.if_removed = if_removed;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = RunDf(options, {});
  return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

class DfTest : public testing::Test {
 protected:
  void Start(Flavour flavour, const char* name, const char* version) {
    fake_ = std::make_unique<FakeCri>(flavour);
    fake_->Edit([&](FakeNode& node) {
      node.runtime_name = name;
      node.runtime_version = version;
      node.image_filesystems.clear();
    });
    Add("base", 10 * kMiB, R"("sha256:1")");
    Add("app", 30 * kMiB, R"("sha256:1","sha256:2")");
  }
  void Add(const std::string& name, std::uint64_t size, const std::string& diff_ids) {
    FakeImage image = FakeImage::From(Img(name, {"registry.example/" + name + ":1"}, size));
    if (bare_ids_) image.id = image.id.substr(image.id.find(':') + 1);
    image.info =
        R"({"labels":{},"imageSpec":{"rootfs":{"type":"layers","diff_ids":[)" + diff_ids + "]}}}";
    fake_->AddImage(image);
  }

  bool bare_ids_ = false;
  std::unique_ptr<FakeCri> fake_;
};

TEST_F(DfTest, ShowsBoundsAndTheReasonOnCrio) {
  bare_ids_ = true;
  Start(Flavour::kCrio130, "cri-o", "1.30.4");
  fake_->RunPod({"shop", "api", "uid-1"}, "web", "registry.example/app:1");
  const Printed printed = Df(*fake_);
  ASSERT_EQ(printed.code, 0) << printed.err;
  EXPECT_THAT(printed.out, AllOf(HasSubstr("No exact sizes: cri-o 1.30.4 does not report layer "
                                           "sizes, and its store cannot be read: "),
                                 ContainsRegex("in-use +1 +\u226430.0MiB"),
                                 ContainsRegex("idle +1 +\u226410.0MiB"),
                                 ContainsRegex("app:1 +yes +2 +1 +\u226430.0MiB\n"),
                                 ContainsRegex("base:1 +no +1 +1 +\u22640B\n")));
}

TEST_F(DfTest, BoundsTheWholeSetOnDocker) {
  Start(Flavour::kDockerd, "docker", "27.3.1");
  const Printed together =
      Df(*fake_, Output::kTable, {"registry.example/app:1", "registry.example/base:1"});
  ASSERT_EQ(together.code, 0) << together.err;
  EXPECT_THAT(together.out, HasSubstr("frees at most 40.0MiB"));
  EXPECT_THAT(Df(*fake_, Output::kTable, {"registry.example/base:1"}).out,
              HasSubstr("frees at most 0B"));
  EXPECT_THAT(Df(*fake_, Output::kJson).out, HasSubstr("\"boundsOnly\": \"docker 27.3.1 does"));
}

TEST_F(DfTest, ShowsTheNamesThatWereRequested) {
  Start(Flavour::kDockerd, "docker", "27.3.1");
  EXPECT_EQ(Df(*fake_, Output::kName, {"registry.example/base:1"}).out,
            "registry.example/base:1\n");
  EXPECT_THAT(Df(*fake_, Output::kName).out, AllOf(HasSubstr("app:1"), HasSubstr("base:1")));
}

TEST_F(DfTest, CountsARepeatedImageOnceAndMarksImagesInUse) {
  Start(Flavour::kDockerd, "docker", "27.3.1");
  fake_->RunPod({"shop", "api", "uid-1"}, "web", "registry.example/app:1");
  const std::string app = "registry.example/app:1", base = "registry.example/base:1";
  EXPECT_THAT(Df(*fake_, Output::kTable, {app, base, app}).out,
              testing::EndsWith("  " + app + "  in use: a sweep keeps it\n  " + base + "\n"));
  EXPECT_THAT(Df(*fake_, Output::kJson, {app, base}).out,
              ContainsRegex("\"inUse\": \\[\n *\"registry.example/app:1\"\n"));
}

// The sizes are of compressed layers, so a removal may free more.
TEST_F(DfTest, ShowsNoBoundsWhenContainerdServicesAreUnreachable) {
  Start(Flavour::kContainerd22, "containerd", "1.7.24");
  const Printed printed = Df(*fake_);
  ASSERT_EQ(printed.code, 0) << printed.err;
  EXPECT_THAT(printed.out,
              AllOf(HasSubstr("No exact sizes: containerd's layers cannot be read: "),
                    ContainsRegex("base:1 +no +10.0MiB +1 +1\n"), Not(HasSubstr("\u2264"))));
}

TEST_F(DfTest, FailsWhenTheRuntimeCannotBeRead) {
  Start(Flavour::kCrio130, "cri-o", "1.30.4");
  for (const char* method : {"ImageStatus", "ListContainers", "Version", "ListImages"}) {
    fake_->Set(method, {.code = grpc::StatusCode::UNAVAILABLE, .message = "restarting"});
    const Printed printed = Df(*fake_);
    EXPECT_EQ(printed.code, 1) << method;
    EXPECT_THAT(printed.err, HasSubstr("restarting")) << method;
    EXPECT_EQ(printed.out, "") << method;
    fake_->ClearFaults();
  }
}

}  // namespace
}  // namespace imagesweep
