#include "agent/runtime/store/build_cache.h"

#include <string_view>

#include "agent/runtime/store/layer_store.h"

namespace imagesweep::store {
namespace {

constexpr std::size_t kLongestDatabase = 64 << 20;
constexpr std::string_view kDigest = "sha256:";
constexpr std::size_t kHexDigits = 64;

}  // namespace

Result<std::unordered_set<std::string>> ReadBuildCache(const Directory& root) {
  std::unordered_set<std::string> chains;
  const auto directory = root.Sub("buildkit");
  const auto text = directory ? directory->Read("snapshots.db", kLongestDatabase)
                              : Result<std::string>(directory.error());
  if (!text && text.error().kind == ErrorKind::kNotFound) return chains;
  if (!text) return text.error();
  const std::string_view all = *text;
  for (auto at = all.find(kDigest); at != std::string_view::npos; at = all.find(kDigest, at + 1))
    if (IsHexId(all.substr(at + kDigest.size(), kHexDigits)))
      chains.emplace(all.substr(at, kDigest.size() + kHexDigits));
  return chains;
}

}  // namespace imagesweep::store
