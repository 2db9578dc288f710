#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include <nlohmann/json.hpp>

#include "agent/cmd/commands.h"
#include "tests/support/fake_cri.h"
#include "tests/support/images.h"

// report with several --runtime-endpoint, on fake runtimes.

namespace imagesweep {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

struct Printed {
  int code;
  std::string out, err;
};

Printed ReportOn(std::vector<std::string> endpoints, Output output = Output::kJson) {
  Options options;
  options.runtime_endpoints = std::move(endpoints);
  options.output = output;
  options.node_name = "laptop";
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = RunReport(options, {});
  return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

class ImageStoresTest : public testing::Test {
 protected:
  ImageStoresTest() {
    for (FakeCri* fake : {&one_, &two_}) {
      fake->Edit([](FakeNode& node) { node.image_filesystems.clear(); });
      fake->AddImage(FakeImage::From(Img("app", {"registry.example/app:1"})));
    }
  }
  static json UseOf(const Printed& printed, std::size_t store) {
    return json::parse(printed.out)["stores"][store]["images"][0]["use"];
  }

  FakeCri one_{Flavour::kContainerd22}, two_{Flavour::kCrio130};
};

// Without a proof, the containers of one store say nothing about the copy in the other.
TEST_F(ImageStoresTest, JudgesAnImageOnlyByTheContainersOfItsOwnStore) {
  two_.AddImage(FakeImage::From(Img("pause", {"registry.k8s.io/pause:3.10"})));
  two_.RunPod({"shop", "api", "uid-1"}, "web", "registry.example/app:1");
  const Printed printed = ReportOn({one_.Endpoint(), two_.Endpoint()});
  ASSERT_EQ(printed.code, 0) << printed.err;
  EXPECT_EQ(UseOf(printed, 0), "Idle");
  EXPECT_EQ(UseOf(printed, 1), "InUse");
  const json parsed = json::parse(printed.out);
  EXPECT_EQ(parsed["stores"][0]["hasKubelet"], false);
  EXPECT_EQ(parsed["stores"][1]["hasKubelet"], true);
  EXPECT_EQ(parsed["inSeveralStores"].size(), 1U);
}

TEST_F(ImageStoresTest, ShowsTheOtherStoreAndFailsWhenOneCannotBeRead) {
  for (const char* method : {"Version", "ListImages", "ListContainers"}) {
    two_.Set(method, {.code = grpc::StatusCode::UNAVAILABLE, .message = "restarting"});
    const Printed printed = ReportOn({one_.Endpoint(), two_.Endpoint()});
    EXPECT_EQ(printed.code, 1) << method;
    EXPECT_THAT(printed.err, AllOf(HasSubstr(two_.Endpoint()), HasSubstr("restarting"))) << method;
    const json parsed = json::parse(printed.out);
    EXPECT_EQ(parsed["stores"][0]["images"].size(), 1U) << method;
    EXPECT_TRUE(parsed["stores"][1]["images"].is_null()) << method;
    EXPECT_TRUE(parsed["total"].is_null()) << method;
    two_.ClearFaults();
  }
}

TEST_F(ImageStoresTest, RefusesOneSocketUnderTwoNames) {
  const std::string link = one_.socket_path() + ".link";
  std::filesystem::create_symlink(one_.socket_path(), link);
  for (const std::string& other : {one_.Endpoint(), "unix://" + link, link}) {
    const Printed printed = ReportOn({one_.Endpoint(), two_.Endpoint(), other});
    EXPECT_EQ(printed.code, 2) << other;
    EXPECT_THAT(printed.err, AllOf(HasSubstr("are the same image store: both are one socket"),
                                   HasSubstr("pass each image store once")));
    EXPECT_EQ(printed.out, "") << other;
  }
  std::filesystem::remove(link);
}

// For example one daemon that listens on two sockets.
TEST_F(ImageStoresTest, RefusesTwoSocketsOfOneStore) {
  const std::string directory = std::filesystem::temp_directory_path();
  for (FakeCri* fake : {&one_, &two_})
    fake->Edit([&](FakeNode& node) { node.image_filesystems = {directory}; });
  const Printed printed = ReportOn({one_.Endpoint(), two_.Endpoint()});
  EXPECT_EQ(printed.code, 2);
  EXPECT_THAT(printed.err, HasSubstr("both have the same images in " + directory));
  EXPECT_EQ(printed.out, "");
  // Two runtimes in containers have one name for directories of their own.
  two_.AddImage(FakeImage::From(Img("other", {"registry.example/other:1"})));
  EXPECT_EQ(ReportOn({one_.Endpoint(), two_.Endpoint()}).code, 0);
}

// Its CRI does not list all containers, so a used image could look idle.
TEST_F(ImageStoresTest, CannotReadTheUseThroughCriDockerd) {
  FakeCri dockerd{Flavour::kDockerd};
  dockerd.Edit([](FakeNode& node) {
    node.runtime_name = "docker";
    node.image_filesystems.clear();
  });
  const Printed printed = ReportOn({one_.Endpoint(), dockerd.Endpoint()});
  EXPECT_EQ(printed.code, 1);
  EXPECT_THAT(printed.err, HasSubstr("socket of the Docker Engine"));
}

TEST_F(ImageStoresTest, RefusesAnEndpointThatIsNoSocketPath) {
  const Printed printed = ReportOn({one_.Endpoint(), "tcp://127.0.0.1:2375"});
  EXPECT_EQ(printed.code, 2);
  EXPECT_THAT(printed.err, HasSubstr("only unix sockets are supported"));
}

}  // namespace
}  // namespace imagesweep
