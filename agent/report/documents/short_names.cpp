#include "agent/report/documents/short_names.h"

#include <algorithm>

#include "agent/model/image_name.h"

namespace imagesweep {
namespace {

constexpr std::string_view kHub = "docker.io/";
constexpr std::string_view kOfficial = "library/";

// The repository of a name, without its tag and its digest.
std::string_view RepositoryOf(std::string_view name) {
  name = name.substr(0, name.find('@'));
  const auto slash = name.rfind('/');
  return name.substr(0, name.find(':', slash == std::string_view::npos ? 0 : slash));
}

}  // namespace

ShortNames::ShortNames(const std::vector<Image>& images) {
  for (const Image& image : images) {
    for (const ImageName& name : image.tags) Add(name.text());
    for (const ImageName& name : image.digests) Add(name.text());
  }
}

ShortNames ShortNames::Full() {
  ShortNames names;
  names.full_ = true;
  return names;
}

void ShortNames::Add(std::string_view name) {
  const RepositoryParts parts = SplitRepository(RepositoryOf(name));
  if (!parts.registry.empty() && !name.starts_with(kHub)) other_paths_.emplace(parts.path);
}

std::string ShortNames::Of(std::string_view name) const {
  if (full_ || !name.starts_with(kHub)) return std::string(name);
  const std::string_view repository = RepositoryOf(name);
  const std::string_view path = repository.substr(kHub.size());
  const std::string_view official =
      path.starts_with(kOfficial) ? path.substr(kOfficial.size()) : path;
  if (other_paths_.contains(path) || other_paths_.contains(official)) return std::string(name);
  for (const std::string_view shorter : {official, path})
    if (!shorter.empty() && JoinRepository(SplitRepository(shorter)) == repository)
      return std::string(shorter).append(name.substr(repository.size()));
  return std::string(name);
}

}  // namespace imagesweep
