#include "agent/runtime/docker/saved_archive.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <string_view>
#include <utility>

#include "agent/model/image_name.h"
#include "agent/runtime/archive_files.h"
#include "agent/runtime/archive_tar.h"
#include "agent/runtime/docker/json.h"

namespace imagesweep::docker {
namespace {

constexpr std::uint64_t kMaxDocument = std::uint64_t{8} << 20;
constexpr std::uint64_t kMaxDocuments = std::uint64_t{16} << 20;  // together
constexpr std::string_view kBlobs = "blobs/sha256/";

Error Wrong(std::string what) {
  return {ErrorKind::kInvalid, std::move(what)};
}

// Layers are blobs, too, but they are no JSON.
bool MayBeDocument(std::string_view name, std::uint64_t size, int first_byte) {
  return size <= kMaxDocument && (name.ends_with(".json") || name.starts_with(kBlobs)) &&
         (first_byte == '{' || first_byte == '[');
}

// The small files of the tar, by name.
Result<std::map<std::string, std::string>> ReadDocuments(const std::filesystem::path& path,
                                                         const std::stop_token& stop) {
  std::error_code failed;
  const auto total = std::filesystem::file_size(path, failed);
  if (failed) return Error{ErrorKind::kNotFound, failed.message()};
  if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(path, failed)))
    return Wrong("not a regular file");
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{ErrorKind::kDenied, "cannot be opened"};
  std::map<std::string, std::string> documents;
  std::uint64_t kept = 0;
  for (std::uint64_t at = 0;;) {
    if (stop.stop_requested()) return Error{ErrorKind::kCancelled, "shutting down"};
    TarBlock block;
    file.seekg(static_cast<std::streamoff>(at));
    if (!file.read(block.data(), block.size())) return Wrong("the file is truncated");
    if (IsEndOfTar(block)) return documents;
    auto entry = ParseTarHeader(block);
    if (!entry) return std::move(entry).error();
    at += kTarBlock;
    if (entry->size > total - at) return Wrong("the file is truncated");
    if (entry->is_file && MayBeDocument(entry->name, entry->size, file.peek())) {
      kept += entry->size;
      if (kept > kMaxDocuments) return Wrong("too many documents");
      std::string text(entry->size, '\0');
      if (!file.read(text.data(), static_cast<std::streamsize>(text.size())))
        return Wrong("the file is truncated");
      if (!documents.emplace(entry->name, std::move(text)).second)
        return Wrong(entry->name + " is there twice");
    }
    at += entry->size + TarPadding(entry->size);
  }
}

class Checker {
 public:
  Checker(std::map<std::string, std::string> documents, const std::string& id,
          const std::vector<std::string>& names)
      : documents_(std::move(documents)), id_(id), names_(names) {}

  Status Check() {
    const std::string* const manifest = Find("manifest.json");
    const std::string* const index = Find("index.json");
    if (manifest == nullptr && index == nullptr)
      return Wrong("it has neither manifest.json nor index.json");
    if (index != nullptr)
      if (auto fits = CheckIndex(*index); !fits) return fits;
    if (manifest != nullptr)
      if (auto fits = CheckManifests(*manifest); !fits) return fits;
    if (!has_id_) return Wrong("it does not have the image " + id_);
    return Done{};
  }

 private:
  const std::string* Find(const std::string& name) const {
    const auto it = documents_.find(name);
    return it == documents_.end() ? nullptr : &it->second;
  }

  // The document with this digest. Null: absent, or not of this digest.
  const std::string* Blob(const std::string& digest) const {
    if (!IsSha256(digest)) return nullptr;
    const std::string* const text = Find(std::string(kBlobs) + digest.substr(7));
    return text != nullptr && DigestOf(*text) == digest ? text : nullptr;
  }

  Status CheckName(const std::string& name) const {
    if (name.empty()) return Done{};
    const std::string parsed = ImageName::Parse(name).text();
    if (std::ranges::find(names_, parsed) != names_.end()) return Done{};
    return Wrong("it names \"" + name + "\", which this image does not have");
  }

  // Adds the configs of a manifest, or of the manifests of an index.
  void AddConfigs(const std::string& digest, int depth) {
    const std::string* const text = Blob(digest);
    if (text == nullptr || depth > 2) return;
    const auto json = ParseJson(*text);
    if (!json) return;
    Fields fields(*json), config(fields.Object("config"));
    if (std::string of = config.Text("digest"); !of.empty()) configs_.push_back(std::move(of));
    for (const Json& child : fields.Array("manifests"))
      AddConfigs(Fields(child).Text("digest"), depth + 1);
  }

  Status CheckIndex(const std::string& text) {
    const auto json = ParseJson(text);
    if (!json) return Wrong("index.json: " + json.error().what);
    Fields index(*json);
    for (const Json& entry : index.Array("manifests")) {
      Fields manifest(entry), annotations(manifest.Object("annotations"));
      const std::string digest = manifest.NeededText("digest");
      const std::string name = annotations.Text("io.containerd.image.name");
      index.Check(annotations);
      index.Check(manifest);
      if (!index.ok()) break;
      if (auto known = CheckName(name); !known) return known;
      const std::size_t before = configs_.size();
      AddConfigs(digest, 0);
      const bool by_config = std::find(configs_.begin() + static_cast<long>(before), configs_.end(),
                                       id_) != configs_.end();
      if (digest == id_ ? Blob(digest) == nullptr : !by_config)
        return Wrong("index.json has another image, " + digest);
      has_id_ = true;
    }
    if (!index.ok()) return Wrong("index.json: " + index.error().what);
    return Done{};
  }

  Status CheckManifests(const std::string& text) {
    const auto json = ParseJson(text);
    if (!json) return Wrong("manifest.json: " + json.error().what);
    if (!json->is_array()) return Wrong("manifest.json: not a list");
    for (const Json& entry : *json) {
      Fields image(entry);
      const std::string config = image.NeededText("Config");
      const auto tags = image.Texts("RepoTags");
      if (!image.ok()) return Wrong("manifest.json: " + image.error().what);
      for (const std::string& tag : tags)
        if (auto known = CheckName(tag); !known) return known;
      const std::string* const document = Find(config);
      if (document == nullptr) return Wrong(config + " is missing");
      const std::string digest = DigestOf(*document);
      if (digest != id_ && std::ranges::find(configs_, digest) == configs_.end())
        return Wrong("manifest.json has another image, with the config " + digest);
      has_id_ = has_id_ || digest == id_;
    }
    return Done{};
  }

  const std::map<std::string, std::string> documents_;
  const std::string& id_;
  const std::vector<std::string>& names_;
  std::vector<std::string> configs_;  // of the image, by index.json
  bool has_id_ = false;
};

}  // namespace

Status CheckArchive(const std::filesystem::path& archive, const std::string& id,
                    const std::vector<std::string>& names, const std::stop_token& stop) {
  auto documents = ReadDocuments(archive, stop);
  if (!documents) return documents.error().Wrap(archive.string());
  std::vector<std::string> normalised;
  for (const std::string& name : names) normalised.push_back(ImageName::Parse(name).text());
  auto fits = Checker(*std::move(documents), id, normalised).Check();
  if (!fits) return std::move(fits).error().Wrap(archive.string());
  return Done{};
}

}  // namespace imagesweep::docker
