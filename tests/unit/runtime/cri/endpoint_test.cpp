#include "agent/runtime/cri/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace imagesweep::cri {
namespace {

using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(EndpointTest, ReadsUnixSocketsOnly) {
  struct Row {
    std::string text, path, complaint;
  };
  const Row rows[] = {
      {"unix:///run/containerd/containerd.sock", "/run/containerd/containerd.sock", ""},
      {"unix:/run/crio/crio.sock", "/run/crio/crio.sock", ""},
      {"/run/k0s/containerd.sock", "/run/k0s/containerd.sock", ""},
      {"unix:///odd path/50%.sock", "/odd path/50%.sock", ""},
      {"/" + std::string(106, 'a'), "/" + std::string(106, 'a'), ""},
      {"", "", "the value is empty"},
      {"unix://", "", "the path is not absolute"},
      {"unix://run/containerd.sock", "", "the path is not absolute"},
      {"run/containerd.sock", "", "the path is not absolute"},
      {"containerd", "", "the path is not absolute"},
      {"/run/containerd/", "", "directory"},
      {"tcp://127.0.0.1:1234", "", "only unix sockets are supported, not tcp"},
      {"http://localhost/", "", "only unix sockets are supported, not http"},
      {"npipe:////./pipe/containerd", "", "only unix sockets are supported, not npipe"},
      {"/" + std::string(107, 'a'), "", "longer"},
      {std::string("/run/a\0b", 8), "", "NUL"},
  };
  for (const auto& [text, path, complaint] : rows) {
    const auto endpoint = ParseEndpoint(text);
    ASSERT_EQ(static_cast<bool>(endpoint), complaint.empty()) << text;
    if (endpoint) {
      EXPECT_EQ(endpoint->path, path);
      EXPECT_EQ(endpoint->Uri(), "unix://" + path);
    } else {
      EXPECT_EQ(endpoint.error().kind, ErrorKind::kInvalid);
      EXPECT_THAT(endpoint.error().what, HasSubstr(complaint)) << text;
    }
  }
}

TEST(EndpointTest, LooksForDefaultsBelowThePrefix) {
  const auto plain = DefaultEndpoints();
  ASSERT_FALSE(plain.empty());
  EXPECT_EQ(plain.front().path, "/run/containerd/containerd.sock");
  for (const std::string prefix : {"/host", "/host/"}) {
    const auto below = DefaultEndpoints(prefix);
    ASSERT_EQ(below.size(), plain.size());
    EXPECT_THAT(below, Each(Field(&Endpoint::path, StartsWith("/host/"))));
    EXPECT_EQ(below.back().path, "/host" + plain.back().path);
  }
}

}  // namespace
}  // namespace imagesweep::cri
