#include "agent/report/documents/json_parts.h"

#include "agent/report/documents/listing.h"

namespace imagesweep::json_parts {

std::string Dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

Json NamesJson(const std::vector<ImageName>& names) {
  Json list = Json::array();
  for (const ImageName& name : names) list.push_back(name.text());
  return list;
}

Json DiskJson(const std::optional<DiskUsage>& disk) {
  if (!disk) return nullptr;
  return {{"mountpoint", disk->mountpoint},
          {"sizeBytes", disk->capacity_bytes},
          {"availBytes", disk->available_bytes},
          {"usedPercent", disk->capacity_bytes == 0 ? Json(nullptr) : Json(disk->used_percent())},
          {"inodes", disk->inodes},
          {"inodesFree", disk->inodes_free}};
}

Json UsedByJson(const Observation& seen, const Decision& decision) {
  Json users = Json::array();
  for (const ImageUser& by : UsersOf(seen, decision))
    users.push_back({{"kind", ToString(by.kind)},
                     {"namespace", by.pod_namespace},
                     {"name", by.pod},
                     {"container", by.container}});
  return users;
}

}  // namespace imagesweep::json_parts
