#include "agent/kube/pods/pull_records.h"

#include <fstream>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/kube/client/strict_json.h"

namespace imagesweep::kube {
namespace {

// More than any node has. A file has some hundred bytes for each pull secret.
constexpr std::size_t kMaxFiles = 20000;
constexpr std::size_t kMaxBytes = std::size_t{256} << 10;

struct Pulled {
  std::string image_ref;                  // without "sha256:"
  std::vector<std::string> repositories;  // normalized
};

std::string WithoutAlgorithm(std::string_view id) {
  constexpr std::string_view kSha256 = "sha256:";
  return std::string(id.starts_with(kSha256) ? id.substr(kSha256.size()) : id);
}

bool TellsOfAPull(const Json& credentials) {
  if (!credentials.is_object()) return false;
  const auto filled = [&](const char* key) {
    const auto found = credentials.find(key);
    return found != credentials.end() && found->is_array() && !found->empty();
  };
  const auto accessible = credentials.find("nodePodsAccessible");
  return (accessible != credentials.end() && accessible->is_boolean() && accessible->get<bool>()) ||
         filled("kubernetesSecrets") || filled("kubernetesServiceAccounts");
}

Result<Pulled> ReadRecord(const std::filesystem::path& path) {
  const auto fails = [&](const std::string& why) {
    return Error{ErrorKind::kIncomplete, path.string() + ": " + why};
  };
  std::string text(kMaxBytes + 1, '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file) return fails("cannot be opened");
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return fails("cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxBytes) return fails("is larger than 256 KiB");
  const auto json = ParseStrict(text);
  if (!json) return fails(json.error().what);
  const auto kind = TextAt(*json, "kind"), version = TextAt(*json, "apiVersion");
  const auto image_ref = TextAt(*json, "imageRef");
  if (!kind || *kind != "ImagePulledRecord" || !version ||
      !version->starts_with("kubelet.config.k8s.io/") || !image_ref || image_ref->empty())
    return fails("is not an ImagePulledRecord");
  const auto mapping = ObjectAt(*json, "credentialMapping");
  if (!mapping) return fails(mapping.error().what);
  Pulled pulled{WithoutAlgorithm(*image_ref), {}};
  if (*mapping != nullptr)
    for (const auto& [repository, credentials] : (*mapping)->items())
      if (TellsOfAPull(credentials))
        pulled.repositories.emplace_back(ImageName::Parse(repository).repository());
  return pulled;
}

// The only repo digest of that repository. With several, the pulled one is unknown.
const ImageName* DigestOf(const Image& image, std::string_view repository) {
  const ImageName* found = nullptr;
  for (const ImageName& name : image.digests) {
    if (name.repository() != repository || name.digest().empty()) continue;
    if (found != nullptr) return nullptr;
    found = &name;
  }
  return found;
}

}  // namespace

PullRecords::PullRecords(const std::filesystem::path& kubelet_directory)
    : directory_(kubelet_directory.empty() ? std::filesystem::path()
                                           : kubelet_directory / "image_manager" / "pulled") {}

Result<OriginFindings> PullRecords::Find(std::span<const Image> images, const RuntimeIdentity&,
                                         const std::stop_token& stop) {
  OriginFindings found;
  if (directory_.empty()) return found;
  std::error_code error;
  std::filesystem::directory_iterator files(directory_, error);
  if (error == std::errc::no_such_file_or_directory) return found;
  const auto fails = [&] {
    return Error{ErrorKind::kUnavailable, "read the kubelet's pull records: " +
                                              directory_.string() + ": " + error.message()};
  };
  if (error) return fails();
  std::unordered_multimap<std::string, Pulled> records;  // by image reference
  std::size_t unread = 0;
  std::string why;
  for (; files != std::filesystem::directory_iterator(); files.increment(error)) {
    if (error) return fails();
    if (stop.stop_requested()) return Error{ErrorKind::kCancelled, "shutting down"};
    const std::string name = files->path().filename().string();
    if (!name.starts_with("sha256-") || name.ends_with(".tmp")) continue;
    if (records.size() == kMaxFiles) {
      why = "more than " + std::to_string(kMaxFiles) + " records";
      ++unread;
      break;
    }
    auto record = ReadRecord(files->path());
    if (record) {
      std::string key = record->image_ref;
      records.emplace(std::move(key), *std::move(record));
    } else if (unread++ == 0) {
      why = record.error().what;
    }
  }
  if (error) return fails();
  if (unread > 0)
    found.warnings.push_back("only some of the kubelet's pull records could be read: " + why);
  found.missing = "the kubelet has no record of a pull";
  found.proofs.resize(images.size());
  for (std::size_t at = 0; at < images.size(); ++at) {
    const Image& image = images[at];
    const auto add = [&](const std::string& reference) {
      const auto [first, last] = records.equal_range(reference);
      for (auto it = first; it != last; ++it)
        for (const std::string& repository : it->second.repositories)
          if (const ImageName* digest = DigestOf(image, repository))
            found.proofs[at].push_back(
                {repository, digest->text(), "the kubelet's record of its pull of " + repository});
    };
    add(WithoutAlgorithm(image.id.text()));
    for (const ImageName& digest : image.digests) add(digest.text());
  }
  return found;
}

}  // namespace imagesweep::kube
