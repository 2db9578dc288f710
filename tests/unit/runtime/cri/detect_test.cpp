#include "agent/runtime/cri/detect.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "agent/runtime/socket.h"
#include "tests/unit/runtime/cri/fixture.h"

namespace imagesweep::cri {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class DetectTest : public testing::Test {
 protected:
  // The directory of a fake, for files beside its socket.
  std::string Beside(const std::string& name) const {
    return (std::filesystem::path(runtime_.socket_path()).parent_path() / name).string();
  }
  // A socket file without a listener, as a crashed runtime leaves it.
  std::string DeadSocket() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = Beside("dead.sock");
    std::memcpy(address.sun_path, path.data(), path.size());
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    close(fd);
    return path;
  }

  FakeCri runtime_;
  const std::stop_token never_{};
};

TEST_F(DetectTest, TakesTheFirstThatAnswersVersion) {
  FakeCri without_cri;
  without_cri.Edit([](FakeNode& node) { node.offers_cri = false; });
  FakeCri second;
  const Endpoint candidates[] = {{Beside("missing.sock")},
                                 {without_cri.socket_path()},
                                 {runtime_.socket_path()},
                                 {second.socket_path()}};
  const auto found = Detect(candidates, never_);
  ASSERT_TRUE(found) << found.error().what;
  EXPECT_EQ(found->path, runtime_.socket_path());
  EXPECT_EQ(second.Count("Version"), 0u);
}

TEST_F(DetectTest, SaysOfEveryCandidateWhyNot) {
  std::ofstream(Beside("file.sock")) << "not a socket";
  FakeCri without_cri, hanging, denying, starting;
  without_cri.Edit([](FakeNode& node) { node.offers_cri = false; });
  hanging.Set("Version", {.hang = Fault::Hang::kBeforeHeaders});
  denying.Set("Version", {.code = grpc::StatusCode::PERMISSION_DENIED, .message = "not you"});
  starting.Set("Version", {.code = grpc::StatusCode::UNAVAILABLE, .message = "not initialized"});
  struct Row {
    std::string path, why;
  };
  const Row rows[] = {
      {Beside("missing.sock"), "does not exist"},
      {Beside("file.sock"), "is not a socket"},
      {DeadSocket(), "connection refused"},
      {without_cri.socket_path(), "does not speak CRI v1 (unknown service)"},
      {hanging.socket_path(), "within 200ms"},
      {denying.socket_path(), "not you"},
      {starting.socket_path(), "is starting or stopping: not initialized"},
  };
  std::vector<Endpoint> candidates;
  for (const Row& row : rows) candidates.push_back({row.path});

  const auto found = Detect(candidates, never_, Millis(200));

  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kDenied);
  EXPECT_THAT(found.error().what, HasSubstr("--runtime-endpoint"));
  for (const auto& [path, why] : rows) {
    const Endpoint one[] = {{path}};
    const auto alone = Detect(one, never_, Millis(200));
    ASSERT_FALSE(alone) << path;
    EXPECT_THAT(alone.error().what, AllOf(HasSubstr(path), HasSubstr(why)));
    EXPECT_THAT(found.error().what, AllOf(HasSubstr(path), HasSubstr(why)));
  }
}

TEST_F(DetectTest, UsesTheFlagWithoutConnecting) {
  const auto chosen = ChooseEndpoint("unix:///nowhere/cri.sock", "", never_);
  ASSERT_TRUE(chosen) << chosen.error().what;
  EXPECT_EQ(chosen->path, "/nowhere/cri.sock");
  EXPECT_FALSE(ChooseEndpoint("tcp://1.2.3.4:5", "", never_));
}

TEST_F(DetectTest, WithoutAFlagLooksBelowThePrefix) {
  const std::string prefix = Beside("host");
  std::filesystem::create_directories(prefix + "/run/crio");
  FakeCri crio(Flavour::kCrio130, prefix + "/run/crio/crio.sock");
  const auto chosen = ChooseEndpoint("", prefix, never_);
  ASSERT_TRUE(chosen) << chosen.error().what;
  EXPECT_EQ(chosen->path, prefix + "/run/crio/crio.sock");
}

TEST_F(DetectTest, StopsWhenAskedTo) {
  std::stop_source stop;
  runtime_.Set("Version", {.hang = Fault::Hang::kBeforeHeaders});
  runtime_.Before("Version", [&](const FakeCall&) { stop.request_stop(); });
  const Endpoint candidates[] = {{runtime_.socket_path()}, {runtime_.socket_path()}};
  const auto found = Detect(candidates, stop.get_token(), std::chrono::minutes(1));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(runtime_.Count("Version"), 1u);
}

TEST_F(DetectTest, ASocketThatThisUserMayNotUseIsDenied) {
  if (geteuid() == 0 && seteuid(65534) != 0) GTEST_SKIP() << "cannot become another user";
  const auto why = ProbeSocket(runtime_.socket_path());  // its directory is 0700
  const auto back = getuid() == 0 ? seteuid(0) : 0;
  ASSERT_EQ(back, 0);
  if (getuid() != 0) GTEST_SKIP() << "the owner may use it";
  ASSERT_TRUE(why);
  EXPECT_EQ(why->kind, ErrorKind::kDenied);
  EXPECT_THAT(why->what, AllOf(HasSubstr("permission denied"), HasSubstr("run as root")));
}

}  // namespace
}  // namespace imagesweep::cri
