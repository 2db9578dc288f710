#include "agent/report/documents/image_stores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/image_stores.h"

namespace imagesweep {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kGiB = 1 << 30;

// Docker and the runtime of Minikube on one file system, with one image in both.
StoresReport Laptop() {
  StoreBuilder docker, minikube;
  docker.store().runtime = {"docker", "29.1.3", "unix:///run/docker.sock", 1};
  docker.Add(Img("f", {"frontend:latest"}, 299 * kMiB))
      .Add(Img("m", {"mcp-server:v2"}, 720 * kMiB), Code::kInUse)
      .Disk({"/var/lib/docker", 100 * kGiB, 40 * kGiB, 0, 0}, "8:1");
  minikube.Add(Img("f", {"frontend:latest"}, 120 * kMiB), Code::kInUse)
      .Disk({"/var/lib/containerd", 100 * kGiB, 40 * kGiB, 0, 0}, "8:1");
  minikube.store().has_kubelet = true;
  return {"laptop",
          SystemTime(),
          {Read(docker, "unix:///run/docker.sock"), Read(minikube, "unix:///run/minikube.sock")}};
}

StoresReport LaptopWithoutMinikube() {
  StoresReport report = Laptop();
  report.stores[1] = Unread();
  return report;
}

TEST(StoresJson, HasEachStoreAndTheFiguresOfAll) {
  const json parsed = json::parse(StoresJson(Laptop()));
  EXPECT_EQ(parsed["apiVersion"], "imagesweep/v1alpha1");
  EXPECT_EQ(parsed["kind"], "ImageStores");
  EXPECT_EQ(parsed["stores"][0]["endpoint"], "unix:///run/docker.sock");
  EXPECT_EQ(parsed["stores"][0]["runtime"]["version"], "29.1.3");
  EXPECT_EQ(parsed["stores"][0]["total"]["inUse"], json({{"images", 1}, {"bytes", 720 * kMiB}}));
  EXPECT_EQ(parsed["stores"][0]["images"][0]["use"], "Idle");
  EXPECT_EQ(parsed["stores"][1]["images"][0]["usedBy"][0]["name"], "api");
  EXPECT_EQ(parsed["stores"][1]["hasKubelet"], true);
  EXPECT_EQ(parsed["total"]["images"], 3);
  EXPECT_EQ(parsed["total"]["bytes"], 1139 * kMiB);
  ASSERT_EQ(parsed["filesystems"].size(), 1U);
  EXPECT_EQ(parsed["filesystems"][0]["stores"], json({0, 1}));
  EXPECT_EQ(parsed["filesystems"][0]["usedPercent"], 60);
  const json& copies = parsed["inSeveralStores"][0]["copies"];
  EXPECT_EQ(copies[0]["use"], "Idle");
  EXPECT_EQ(copies[1]["store"], 1);
  EXPECT_EQ(copies[1]["sizeBytes"], 120 * kMiB);
}

TEST(StoresJson, HasNoFiguresOfAllStoresWhenOneCannotBeRead) {
  const json parsed = json::parse(StoresJson(LaptopWithoutMinikube()));
  for (const char* figure : {"total", "filesystems", "inSeveralStores"})
    EXPECT_TRUE(parsed[figure].is_null()) << figure;
  EXPECT_EQ(parsed["stores"][0]["total"]["images"], 2);
  EXPECT_EQ(parsed["stores"][1]["error"], "connection refused");
  EXPECT_TRUE(parsed["stores"][1]["images"].is_null()) << "not an empty list";
}

TEST(StoresJson, HasNoFileSystemsWhenOneCannotBeRead) {
  StoresReport report = Laptop();
  report.stores[1].store->all_disks_read = false;
  const json parsed = json::parse(StoresJson(report));
  EXPECT_TRUE(parsed["filesystems"].is_null());
  EXPECT_EQ(parsed["total"]["images"], 3);
}

TEST(StoresPage, ShowsEachStoreWithTheContainersThatUseItsImages) {
  const std::string text = ToText(MakeStoresPage(Laptop(), false));
  EXPECT_THAT(text, AllOf(HasSubstr("Image stores of laptop\n"),
                          ContainsRegex("1 +docker 29.1.3 +2 +1019MiB +1 \\(720MiB\\)"),
                          ContainsRegex("Total +- +3 +1.1GiB +2 \\(840MiB\\)"),
                          ContainsRegex("/var/lib/docker +1, 2 +60.0GiB of 100GiB \\(60%\\)\n"),
                          Not(HasSubstr("/var/lib/containerd"))));
  EXPECT_THAT(text, HasSubstr("Store 1: docker 29.1.3\n"));
  EXPECT_THAT(text, ContainsRegex("mcp-server:v2 .*720MiB +shop/api/web +-\n"));
  EXPECT_THAT(text, ContainsRegex("frontend:latest .*299MiB +- +2 \\(in use\\)\n"));
  EXPECT_THAT(text, HasSubstr("--runtime-endpoint unix:///run/minikube.sock --kubeconfig FILE"));
}

TEST(StoresPage, ShowsTheImagesThatSeveralStoresHold) {
  EXPECT_THAT(
      ToMarkdown(MakeStoresPage(Laptop())),
      AllOf(HasSubstr("| docker.io/library/frontend:latest | 299MiB | 120MiB, in use |\n"),
            HasSubstr("1 image is in more than one store: 299MiB in store 1, 120MiB in store "
                      "2.")));
}

TEST(StoresPage, ShowsTheReasonAndNoTotalWhenAStoreCannotBeRead) {
  const std::string text = ToText(MakeStoresPage(LaptopWithoutMinikube()));
  EXPECT_THAT(text, AllOf(HasSubstr("incomplete: cannot read store 2"),
                          HasSubstr("There is no total, because store 2 cannot be read."),
                          HasSubstr("Store 2, unix:///run/none.sock: connection refused"),
                          HasSubstr("Store 1: docker 29.1.3"), HasSubstr("mcp-server:v2")));
  EXPECT_THAT(text, AllOf(Not(HasSubstr("Total ")), Not(HasSubstr("In several stores")),
                          Not(HasSubstr("File systems"))));
}

}  // namespace
}  // namespace imagesweep
