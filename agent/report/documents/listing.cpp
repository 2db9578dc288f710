#include "agent/report/documents/listing.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <tuple>

namespace imagesweep {

std::vector<ImagePos> ByName(const Observation& seen, std::vector<ImagePos> images) {
  std::ranges::sort(images, {}, [&](ImagePos at) {
    const Image& image = seen.images[at];
    return std::tuple<std::string_view, std::string_view>(image.display_name(), image.id.text());
  });
  return images;
}

std::vector<ImagePos> AllByName(const Observation& seen) {
  std::vector<ImagePos> all;
  std::ranges::copy(Positions(seen.images), std::back_inserter(all));
  return ByName(seen, std::move(all));
}

std::vector<ImageUser> UsersOf(const Observation& seen, const Decision& decision) {
  std::vector<ImageUser> users;
  users.reserve(decision.used_by.size());
  for (const auto at : decision.used_by) users.push_back(seen.references[at].by);
  std::ranges::sort(users, {}, [](const ImageUser& user) {
    return std::tuple<ImageUserKind, std::string_view, std::string_view, std::string_view>(
        user.kind, user.pod_namespace, user.pod, user.container);
  });
  users.erase(std::unique(users.begin(), users.end()), users.end());
  return users;
}

std::vector<std::uint32_t> WorkloadsOf(const Observation& seen, const Decision& decision,
                                       std::size_t most) {
  auto workloads = decision.needed_by;
  std::ranges::sort(workloads, {}, [&](std::uint32_t at) {
    const WorkloadReference& its = seen.workloads[at];
    return std::tuple<std::string_view, std::string_view, std::string_view>(
        its.kind, its.workload_namespace, its.name);
  });
  if (workloads.size() > most) workloads.resize(most);
  return workloads;
}

std::vector<ImageUser> PodsOf(const Observation& seen, const Decision& decision) {
  auto users = UsersOf(seen, decision);
  std::ranges::stable_sort(users, {}, [](const ImageUser& user) {
    return std::tuple<std::string_view, std::string_view>(user.pod_namespace, user.pod);
  });
  users.erase(std::unique(users.begin(), users.end(), OfOnePod), users.end());
  std::ranges::stable_sort(users, {}, &ImageUser::kind);
  return users;
}

}  // namespace imagesweep
