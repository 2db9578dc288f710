// Input that must cause a clear error: no exception, no crash, no unbounded memory.
#include <gmock/gmock.h>

#include "agent/kube/client/identity.h"
#include "agent/kube/client/lister.h"
#include "tests/unit/kube/objects.h"

namespace imagesweep::kube {
namespace {

using testing::HasSubstr;

// The directory that the kubelet creates for a hostPath whose file is missing.
TEST(ReadSmallFileTest, ADirectoryIsAnError) {
  const auto read = ReadSmallFile(testing::TempDir());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(read.error().what, HasSubstr("Is a directory"));
}

TEST(KubeconfigBase64Test, PaddingStandsAtTheEndAlone) {
  for (const char* data : {"====", "========", "S===", "SU4=SU4=", "S=4="}) {
    const std::string text =
        "current-context: c\n"
        "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
        "users: [{name: u, user: {token: t}}]\n"
        "clusters: [{name: k, cluster: {server: 'https://h', certificate-authority-data: '" +
        std::string(data) + "'}}]\n";
    const auto server =
        FromKubeconfig("/config", [&](const std::string&) -> Result<std::string> { return text; });
    ASSERT_FALSE(server) << data;
    EXPECT_THAT(server.error().what, HasSubstr("is not base64")) << data;
  }
}

// W21: reading it to its end would take about five gigabytes.
TEST(StrictJsonTest, StopsReadingWhereItIsTooDeep) {
  const auto parsed = ParseStrict(std::string(64U << 20, '['));
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error().what, HasSubstr("nested too deeply"));
}

struct PagesTest : testing::Test {
  FakeClock clock;
  ScriptedHttp http{clock};
  const Lister lister{http, "/api/v1/pods", "pods", "", {}};
  std::string Why() {
    const auto listed = lister.List("", {});
    const auto* failure = std::get_if<ListFailure>(&listed);
    return failure == nullptr ? "" : failure->error.what;
  }
};

TEST_F(PagesTest, FailWhenTheyAreOfTwoSnapshots) {
  http.script = {ListStep("10", {PodJson("a", "a:1")}, "c"), ListStep("11")};
  EXPECT_THAT(Why(), HasSubstr("not from one snapshot"));
}

TEST_F(PagesTest, FailAfter100Pages) {
  int page = 0;
  http.answer = [&](const ScriptedHttp::Asked&) -> std::optional<Step> {
    return ListStep("10", {}, std::to_string(++page));
  };
  EXPECT_THAT(Why(), HasSubstr("more than 100 pages"));
  EXPECT_EQ(page, 100);
}

}  // namespace
}  // namespace imagesweep::kube
