#include "agent/runtime/cri/image_puller.h"

#include "tests/unit/runtime/cri/fixture.h"

namespace imagesweep::cri {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kReference = "r.example/app@sha256:" + std::string(64, 'a');

// The messages of containerd 1.6 and 2.x and of CRI-O for the answers of a registry.
TEST(ExplainPull, TellsTheRegistrysAnswersApart) {
  const struct {
    ErrorKind kind;
    const char* said;
    ErrorKind want;
    const char* begins;
  } rows[] = {
      {ErrorKind::kInternal,
       "failed to resolve reference \"r.example/app:1\": failed to do request: Head "
       "\"http://r.example/v2/app/manifests/1\": dial tcp 10.0.0.1:443: connect: connection "
       "refused",
       ErrorKind::kUnavailable, "r.example cannot be reached from this node ("},
      {ErrorKind::kInternal, "dial tcp: lookup r.example on 10.0.0.10:53: no such host",
       ErrorKind::kUnavailable, "r.example cannot be reached"},
      {ErrorKind::kInternal, "x509: certificate signed by unknown authority",
       ErrorKind::kUnavailable, "r.example cannot be reached"},
      {ErrorKind::kInternal,
       "pulling from host r.example failed: unexpected status: 401 Unauthorized",
       ErrorKind::kDenied, "r.example denied access; pass credentials with --pull-secret"},
      {ErrorKind::kInternal,
       "pull access denied, repository does not exist or may require authorization: server "
       "message: "
       "insufficient_scope: authorization failed",
       ErrorKind::kDenied, "r.example denied access"},
      {ErrorKind::kInternal,
       "failed to authorize: failed to fetch anonymous token: unexpected status: 403 Forbidden",
       ErrorKind::kDenied, "r.example denied access"},
      {ErrorKind::kNotFound, "r.example/app@sha256:aa: not found", ErrorKind::kNotFound,
       "r.example no longer has the image"},
      {ErrorKind::kInternal, "reading manifest 1 in r.example/app: manifest unknown",
       ErrorKind::kNotFound, "r.example no longer has the image"},
      {ErrorKind::kInternal,
       "failed to copy: httpReadSeeker: failed open: unexpected status code "
       "https://r.example/v2/app/manifests/1: 429 Too Many Requests - Server message: "
       "toomanyrequests: You have reached your unauthenticated pull rate limit",
       ErrorKind::kIncomplete, "r.example limits the rate of pulls; try again later"},
      {ErrorKind::kUnavailable, "unexpected status: 503 Service Unavailable",
       ErrorKind::kUnavailable, "r.example reported a server error"},
      {ErrorKind::kInternal, "no space left on device", ErrorKind::kInternal,
       "PullImage: UNKNOWN: no space"},
      {ErrorKind::kCancelled, "stopped: 401 Unauthorized", ErrorKind::kCancelled, "PullImage: "},
  };
  for (const auto& row : rows) {
    const Error error =
        ExplainPull(kReference, {row.kind, std::string("PullImage: UNKNOWN: ") + row.said});
    EXPECT_EQ(ToString(error.kind), ToString(row.want)) << row.said;
    EXPECT_THAT(error.what, StartsWith(row.begins));
    EXPECT_THAT(error.what, HasSubstr(row.said));
  }
}

class PullerTest : public testing::Test {
 protected:
  ImagePuller Puller(const std::string& auths) {
    auto secret = PullSecret::Parse(R"({"auths":{)" + auths + "}}");
    EXPECT_TRUE(secret) << secret.error().what;
    return ImagePuller(client_.connection, std::chrono::seconds(30), *secret);
  }

  FakeCri fake_;
  Client client_{fake_};
  const std::stop_token never_{};
};

constexpr const char* kTwo =
    R"("r.example/app":{"username":"one","password":"x"},"r.example":{"username":"two","password":"y"})";

TEST_F(PullerTest, AsksWithoutCredentialsWhenNoneIsMeantForTheRegistry) {
  EXPECT_TRUE(Puller(R"("other.example":{"username":"one"})").Pull(kReference, never_));
  EXPECT_THAT(fake_.Arguments("PullImage"), ElementsAre(kReference));
}

TEST_F(PullerTest, TriesTheNextCredentialsWhenTheRegistryDenies) {
  fake_.Set("PullImage", {.code = grpc::StatusCode::UNKNOWN,
                          .message = "unexpected status: 401 Unauthorized",
                          .times = 1});
  EXPECT_TRUE(Puller(kTwo).Pull(kReference, never_));
  EXPECT_THAT(fake_.Arguments("PullImage"),
              ElementsAre(kReference + " as one", kReference + " as two"));
}

TEST_F(PullerTest, OtherTroubleIsNotTriedAgain) {
  fake_.Set("PullImage", {.code = grpc::StatusCode::NOT_FOUND, .message = "not found"});
  const auto pulled = Puller(kTwo).Pull(kReference, never_);
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(fake_.Arguments("PullImage"), ElementsAre(kReference + " as one"));
}

TEST_F(PullerTest, APullThatHangsEndsAtItsDeadlineAndWhenToldToStop) {
  fake_.Set("PullImage", {.hang = Fault::Hang::kBeforeHeaders});
  const ImagePuller hasty(client_.connection, Millis(50));
  auto pulled = hasty.Pull(kReference, never_);
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().kind, ErrorKind::kDeadline);

  std::stop_source stop;
  fake_.Before("PullImage", [&](const FakeCall&) { stop.request_stop(); });
  pulled = ImagePuller(client_.connection).Pull(kReference, stop.get_token());
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().kind, ErrorKind::kCancelled);
}

}  // namespace
}  // namespace imagesweep::cri
