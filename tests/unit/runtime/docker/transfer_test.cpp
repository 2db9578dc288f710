#include "agent/runtime/docker/transfer.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "agent/base/codec.h"
#include "agent/runtime/archive_files.h"
#include "agent/runtime/archive_tar.h"
#include "tests/support/fake_docker.h"
#include "tests/support/images.h"

namespace imagesweep::docker {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Tar(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string tar;
  for (const auto& [name, text] : files) {
    const TarBlock header = TarHeader({name, text.size(), true});
    tar.append(header.data(), header.size());
    tar += text + std::string(TarPadding(text.size()), '\0');
  }
  return tar + std::string(2 * kTarBlock, '\0');
}

const std::string kConfig = R"({"architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}})";

struct TransferTest : testing::Test {
  TransferTest() {
    std::string made = "/tmp/docker-transfer-XXXXXX";
    directory = mkdtemp(made.data());
  }
  ~TransferTest() override { fs::remove_all(directory); }
  // As docker save writes an image of its own store with this name.
  static std::string Saved(const std::string& name, const std::string& config = kConfig) {
    return Tar({{"config.json", config},
                {"manifest.json",
                 R"([{"Config":"config.json","RepoTags":[")" + name + R"("],"Layers":[]}])"}});
  }
  std::string Write(const std::string& bytes) const {
    std::ofstream(directory / "a.tar", std::ios::binary) << bytes;
    return directory / "a.tar";
  }
  Status LoadIt(const std::string& bytes) {
    return Load(client, Write(bytes), id, {"docker.io/library/app:1"}, std::chrono::seconds(10),
                {});
  }
  Image App() const {
    Image image;
    image.id = ImageId(id);
    image.tags = {ImageName::Parse("app:1")};
    return image;
  }

  FakeDocker engine;
  Client client{engine.socket_path()};
  fs::path directory;
  const std::string id = DigestOf(kConfig);
};

TEST_F(TransferTest, PullsWithALogin) {
  engine.Edit([](FakeEngineNode& node) {
    node.registry["host:5000/app:1"] = {.id = Id("a"), .tags = {"host:5000/app:1"}};
  });
  const auto pulled =
      Pull(client, "host:5000/app:1", {"jo", "secret"}, std::chrono::seconds(10), {});
  ASSERT_TRUE(pulled) << pulled.error().what;
  EXPECT_THAT(engine.ImageIds(), ElementsAre(Id("a")));
  const auto headers = engine.requests().back().headers;
  const auto auth = headers.find("X-Registry-Auth");
  ASSERT_NE(auth, headers.end());
  const auto json = FromBase64(auth->second);
  ASSERT_TRUE(json);
  EXPECT_THAT(*json, HasSubstr(R"("serveraddress":"host:5000","username":"jo")"));
}

TEST_F(TransferTest, ReportsAFailureInTheStreamOfAPull) {
  engine.Edit([](FakeEngineNode& node) {
    node.pull_progress = R"({"status":"Pulling"}
{"errorDetail":{"message":"unauthorized: bad password"},"error":"unauthorized: bad password"})";
  });
  const auto pulled = Pull(client, "app:1", {}, std::chrono::seconds(10), {});
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().kind, ErrorKind::kDenied);
  EXPECT_THAT(pulled.error().what, HasSubstr("bad password"));
}

TEST_F(TransferTest, LoadsAnArchiveOfTheImage) {
  engine.Edit(
      [this](FakeEngineNode& node) { node.archive_images = {{.id = id, .tags = {"app:1"}}}; });
  const auto loaded = LoadIt(Saved("app:1"));
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_THAT(engine.ImageIds(), ElementsAre(id));
}

TEST_F(TransferTest, LoadsNoArchiveThatDoesNotFit) {
  const std::string index =
      R"({"manifests":[{"digest":")" + Id("x") +
      R"(","annotations":{"io.containerd.image.name":"docker.io/library/app:1"}}]})";
  const std::string manifest = R"([{"Config":"config.json","RepoTags":["app:1"],"Layers":[]}])";
  for (const std::string& bytes :
       {Saved("nginx:1"), Saved("app:1", "{}"), std::string("garbage"), Tar({}),
        Saved("app:1").substr(0, 1024),
        Tar({{"config.json", kConfig}, {"manifest.json", manifest}, {"index.json", index}}),
        Tar({{"manifest.json", manifest}})}) {
    const auto loaded = LoadIt(bytes);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().kind, ErrorKind::kInvalid) << loaded.error().what;
  }
  EXPECT_THAT(engine.Log("POST"), IsEmpty());
}

TEST_F(TransferTest, ReportsALoadThatBroughtAnotherImage) {
  engine.Edit([](FakeEngineNode& node) { node.archive_images = {{.id = Id("other")}}; });
  EXPECT_EQ(LoadIt(Saved("app:1")).error().kind, ErrorKind::kIncomplete);
}

TEST_F(TransferTest, WritesAnArchiveThatRestoreFinds) {
  engine.Edit([](FakeEngineNode& node) { node.archive = Saved("app:1"); });
  EngineArchiver archiver(client, {.directory = directory, .max_size = 1 << 20});
  const auto archived = archiver.Archive(App(), {});
  ASSERT_TRUE(archived) << archived.error().what;
  EXPECT_EQ(*archived, ArchiveFile(directory, id));
  EXPECT_TRUE(archiver.Has(App()));
  fs::resize_file(*archived, 100);
  EXPECT_FALSE(archiver.Has(App()));
}

TEST_F(TransferTest, KeepsNoArchiveOfAnotherImage) {
  for (const std::string& bytes :
       {Saved("app:1", "{}"), Saved("nginx:1"), std::string("cut"), std::string(2 << 20, 'x')}) {
    engine.Edit([&](FakeEngineNode& node) { node.archive = bytes; });
    EngineArchiver archiver(client, {.directory = directory, .max_size = 1 << 20});
    EXPECT_FALSE(archiver.Archive(App(), {}));
    EXPECT_FALSE(archiver.Has(App()));
    EXPECT_TRUE(fs::is_empty(directory));
  }
}

}  // namespace
}  // namespace imagesweep::docker
