#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "agent/runtime/archive_files.h"
#include "agent/runtime/archive_tar.h"
#include "agent/runtime/containerd/archive.h"
#include "agent/runtime/containerd/archive_layout.h"
#include "agent/runtime/containerd/import_file.h"
#include "tests/support/images.h"

namespace imagesweep::containerd {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr const char* kManifest = "application/vnd.oci.image.manifest.v1+json";

class Directory : public testing::Test {
 public:
  ~Directory() override { fs::remove_all(path_); }

 protected:
  Directory() {
    std::string name = (fs::temp_directory_path() / "archives-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = name;
  }
  fs::path Put(const std::string& name, const std::string& content, int minutes_ago = 0) {
    std::ofstream(path_ / name, std::ios::binary) << content;
    fs::last_write_time(path_ / name,
                        fs::file_time_type::clock::now() - std::chrono::minutes(minutes_ago));
    return path_ / name;
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path_))
      names.push_back(entry.path().filename().string());
    return names;
  }
  fs::path path_;
};

TEST(Sha256, IsTheDigestOfContentStores) {
  EXPECT_EQ(DigestOf(""),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_TRUE(IsSha256(DigestOf("x")));
  for (const char* other : {"", "sha256:", "sha512:aa", "sha256:XY"}) EXPECT_FALSE(IsSha256(other));
}

TEST(Tar, ReadsWhatItWritesAlsoAboveEightGibibytes) {
  for (const std::uint64_t size :
       {0ULL, 1ULL, 511ULL, (8ULL << 30) - 1, 8ULL << 30, 900ULL << 40}) {
    const auto entry = ParseTarHeader(TarHeader({"blobs/sha256/" + std::string(64, 'a'), size}));
    ASSERT_TRUE(entry) << size;
    EXPECT_EQ(entry->size, size);
    EXPECT_EQ(entry->name, "blobs/sha256/" + std::string(64, 'a'));
    EXPECT_TRUE(entry->is_file);
  }
  TarBlock damaged = TarHeader({"oci-layout", 30});
  damaged[3] ^= 1;
  EXPECT_FALSE(ParseTarHeader(damaged));
}

TEST(Layout, AnIndexHasAllNames) {
  const Descriptor target{kManifest, DigestOf("m"), 1};
  const auto images = ParseIndex(MakeIndex(std::vector<NamedImage>{
      {"r.example/app:v1", target}, {"import-2026-11-20@" + target.digest, target}}));
  ASSERT_TRUE(images) << images.error().what;
  ASSERT_EQ(images->size(), 2U);
  EXPECT_EQ((*images)[0].name, "r.example/app:v1");
  EXPECT_EQ((*images)[1].name, "import-2026-11-20@" + target.digest);
  EXPECT_EQ((*images)[1].target.digest, target.digest);
  EXPECT_TRUE(CheckLayout(LayoutFile()));
  EXPECT_FALSE(CheckLayout(R"({"imageLayoutVersion":"2.0.0"})"));
  for (const char* text : {"", "{}", R"({"manifests":[{}]})"})
    EXPECT_FALSE(ParseIndex(text)) << text;
}

TEST(Layout, LabelsLeadFromAManifestToItsParts) {
  const std::string a = DigestOf("a"), b = DigestOf("b"), c = DigestOf("c");
  const auto part = [](const std::string& digest, const char* type) {
    return R"({"mediaType":")" + std::string(type) + R"(","digest":")" + digest + R"(","size":1})";
  };
  const char* layer = "application/vnd.oci.image.layer.v1.tar+gzip";
  const auto manifest = ParseLinks(
      {kManifest, "", 0}, R"({"config":)" + part(c, "application/vnd.oci.image.config.v1+json") +
                              R"(,"layers":[)" + part(a, layer) + "," + part(b, layer) + "]}");
  ASSERT_TRUE(manifest) << manifest.error().what;
  EXPECT_EQ(manifest->config, c);
  EXPECT_THAT(manifest->GcLabels(),
              UnorderedElementsAre(Pair("containerd.io/gc.ref.content.config", c),
                                   Pair("containerd.io/gc.ref.content.l.0", a),
                                   Pair("containerd.io/gc.ref.content.l.1", b)));
  const auto index = ParseLinks({"application/vnd.oci.image.index.v1+json", "", 0},
                                R"({"manifests":[)" + part(a, kManifest) + "]}");
  ASSERT_TRUE(index) << index.error().what;
  EXPECT_THAT(index->GcLabels(), ElementsAre(Pair("containerd.io/gc.ref.content.m.0", a)));
}

TEST_F(Directory, DeletesOnlyTheOldestArchivesToFreeSpace) {
  const std::string old = ArchiveFile(path_, Id("old")).filename();
  const std::string mid = ArchiveFile(path_, Id("mid")).filename();
  const std::string fresh = ArchiveFile(path_, Id("fresh")).filename();
  Put(old, std::string(100, 'x'), 30);
  Put(mid, std::string(100, 'x'), 20);
  Put(fresh, std::string(100, 'x'), 10);
  Put("notes.tar", std::string(1000, 'x'), 99);
  Put(old + ".unfinished", "x", 99);
  const auto directory = ArchiveDirectory::Lock(path_);
  ASSERT_TRUE(directory) << directory.error().what;
  EXPECT_TRUE((*directory)->FreeUp(100, 400, path_ / "new", {}));
  EXPECT_THAT(Files(), UnorderedElementsAre(old, mid, fresh, "notes.tar"));
  EXPECT_TRUE((*directory)->FreeUp(101, 400, path_ / "new", {}));
  EXPECT_THAT(Files(), UnorderedElementsAre(mid, fresh, "notes.tar"));
  // A file that will be replaced does not count, and stays until then.
  EXPECT_TRUE((*directory)->FreeUp(300, 400, path_ / mid, {}));
  EXPECT_THAT(Files(), UnorderedElementsAre(mid, fresh, "notes.tar"));
}

TEST_F(Directory, KeepsProtectedArchivesWhenFreeingSpace) {
  const auto kept = ArchiveFile(path_, Id("kept")), other = ArchiveFile(path_, Id("other"));
  Put(kept.filename(), std::string(100, 'x'), 30);
  Put(other.filename(), std::string(100, 'x'), 10);
  const auto directory = ArchiveDirectory::Lock(path_);
  ASSERT_TRUE(directory) << directory.error().what;
  const auto too_much = (*directory)->FreeUp(301, 400, path_ / "new", {{kept, 100}});
  ASSERT_FALSE(too_much);
  EXPECT_EQ(too_much.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(too_much.error().what, "keep.archive.maxSize (400B) is used up by this run");
  EXPECT_THAT(Files(), UnorderedElementsAre(kept.filename(), other.filename()));
  EXPECT_TRUE((*directory)->FreeUp(300, 400, kept, {{kept, 100}})) << "it will be replaced";
  EXPECT_THAT(Files(), UnorderedElementsAre(kept.filename(), other.filename()));
  EXPECT_TRUE((*directory)->FreeUp(300, 400, path_ / "new", {{kept, 100}}));
  EXPECT_THAT(Files(), ElementsAre(kept.filename()));
}

TEST_F(Directory, IsForOneProcessAtATime) {
  const auto first = ArchiveDirectory::Lock(path_ / "new");
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_EQ(fs::status(path_ / "new").permissions(), fs::perms::owner_all);
  const auto second = ArchiveDirectory::Lock(path_ / "new");
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().what, HasSubstr("another process writes an archive"));
  EXPECT_FALSE(ArchiveDirectory::Lock("relative"));
}

TEST_F(Directory, AFileAppearsWhenItIsWhole) {
  const auto directory = ArchiveDirectory::Lock(path_);
  ASSERT_TRUE(directory);
  const auto path = ArchiveFile(path_, Id("a"));
  {
    const auto file = (*directory)->Begin(path);
    ASSERT_TRUE(file);
    EXPECT_TRUE((*file)->Write("half"));
  }
  EXPECT_THAT(Files(), IsEmpty());
  const auto file = (*directory)->Begin(path);
  ASSERT_TRUE(file);
  EXPECT_TRUE((*file)->Write("whole"));
  EXPECT_FALSE(fs::exists(path));
  EXPECT_TRUE((*file)->Keep());
  EXPECT_THAT(Files(), ElementsAre(path.filename().string()));
}

std::string Entry(const std::string& name, const std::string& content) {
  const TarBlock header = TarHeader({name, content.size()});
  return std::string(header.data(), header.size()) + content +
         std::string(TarPadding(content.size()), '\0');
}

TEST_F(Directory, ADamagedArchiveIsNamedAsWhatItIs) {
  const std::string end(1024, '\0');
  const std::string layout = Entry("oci-layout", LayoutFile());
  const std::string index = Entry("index.json", MakeIndex({}));
  const std::string blob = Entry(BlobPath(DigestOf("blob")), "blob");
  const struct {
    std::string content;
    const char* says;  // null: the archive is complete
  } rows[] = {
      {layout + index + blob + end, nullptr},
      {"", "the file is truncated"},
      {layout + index + blob.substr(0, 514), "the file is truncated"},
      {layout + index + blob, "the file is truncated"},
      {std::string(512, 'x'), "not a tar file, or damaged"},
      {layout + index + Entry(BlobPath(DigestOf("blob")), "blop") + end, "does not match"},
      {layout + blob + end, "index.json is missing"},
      {index + blob + end, "oci-layout is missing"},
      {Entry("oci-layout", "{}") + index + end, "only version 1"},
      {layout + Entry("index.json", "[]") + end, "not a JSON object"},
  };
  for (const auto& row : rows) {
    const auto reader = ArchiveReader::Open(Put("a.tar", row.content), {});
    ASSERT_EQ(static_cast<bool>(reader), row.says == nullptr);
    if (reader) continue;
    EXPECT_EQ(reader.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(reader.error().what, HasSubstr(row.says));
  }
  const auto missing = ArchiveReader::Open(path_ / "none.tar", {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace imagesweep::containerd
