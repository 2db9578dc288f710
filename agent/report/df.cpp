#include "agent/report/df.h"

#include <nlohmann/json.hpp>

#include "agent/base/quantity.h"
#include "agent/report/table.h"

namespace imagesweep {
namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const SpaceOnDisk& space) {
  return {{"bytes", space.bytes},
          {"inodes", space.inodes},
          {"blobs", space.blobs},
          {"snapshots", space.snapshots}};
}

Json ToJson(const FreedSpace& freed) {
  return {{"bytes", freed.space.bytes},   {"inodes", freed.space.inodes},
          {"blobs", freed.space.blobs},   {"snapshots", freed.space.snapshots},
          {"certainty", freed.certainty}, {"why", freed.why}};
}

Json ToJson(const DiskUse::ImageSpace& image) {
  return {{"id", image.id},
          {"name", image.name},
          {"names", image.tags},
          {"inUse", image.in_use},
          {"pinned", image.pinned},
          {"totalBytes", image.total.bytes},
          {"uniqueBytes", image.unique.bytes},
          {"sharedBytes", image.total.bytes - image.unique.bytes},
          {"freedBytes", image.freed.space.bytes},
          {"freed", ToJson(image.freed)},
          {"survivingNames", image.survivors}};
}

// What the file system has and containerd does not account for: its database, logs, and whatever
// else lies there.  The other way round when it was written to in between.
std::int64_t Rest(std::uint64_t used, std::uint64_t counted) {
  return static_cast<std::int64_t>(used) - static_cast<std::int64_t>(counted);
}

std::string Signed(std::int64_t bytes) {
  return bytes < 0 ? "-" + HumanBytes(static_cast<std::uint64_t>(-bytes))
                   : HumanBytes(static_cast<std::uint64_t>(bytes));
}

std::string Bound(const FreedSpace& freed) {
  const std::string bytes = HumanBytes(freed.space.bytes);
  return freed.certainty == "exactly" ? bytes : freed.certainty + " " + bytes;
}

std::string RemovalText(const DiskUse::Removal& removal) {
  std::string text = "frees ";
  if (removal.freed.certainty != "exactly") text += removal.freed.certainty + " ";
  text += HumanBytes(removal.freed.space.bytes) + " (" + std::to_string(removal.freed.space.bytes) +
          " bytes, " + std::to_string(removal.freed.space.inodes) + " inodes)";
  if (removal.freed.certainty == "exactly") text += ", exactly";
  if (!removal.freed.why.empty()) text += ": " + removal.freed.why;
  text += "\n";
  for (const std::string& name : removal.names) text += "  " + name + "\n";
  return text;
}

}  // namespace

SpaceOnDisk DiskUse::Counted() const {
  SpaceOnDisk all;
  for (const Account& account : accounts) {
    all.bytes += account.space.bytes;
    all.inodes += account.space.inodes;
    all.blobs += account.space.blobs;
    all.snapshots += account.space.snapshots;
  }
  return all;
}

std::string DiskUseJson(const DiskUse& use) {
  Json accounts = Json::array();
  for (const auto& account : use.accounts) {
    Json one = {{"account", account.name}};
    one.update(ToJson(account.space));
    accounts.push_back(std::move(one));
  }
  const SpaceOnDisk counted = use.Counted();
  Json disk = nullptr;
  if (use.disk)
    disk = {{"usedBytes", use.disk->bytes},
            {"usedInodes", use.disk->inodes},
            {"otherBytes", Rest(use.disk->bytes, counted.bytes)},
            {"otherInodes", Rest(use.disk->inodes, counted.inodes)}};
  Json images = Json::array();
  for (const auto& image : use.images) images.push_back(ToJson(image));
  Json removal = nullptr;
  if (use.removal) {
    removal = ToJson(use.removal->freed);
    removal["images"] = use.removal->names;
  }
  return Json({{"apiVersion", "imagesweep/v1alpha1"},
               {"kind", "DiskUse"},
               {"directory", use.directory},
               {"disk", std::move(disk)},
               {"accounts", std::move(accounts)},
               {"counted", ToJson(counted)},
               {"images", std::move(images)},
               {"ifRemoved", std::move(removal)},
               {"unread", use.unread},
               {"warnings", use.warnings}})
      .dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string DiskUseText(const DiskUse& use, const TextOptions& options) {
  std::string text;
  if (use.removal) return RemovalText(*use.removal);
  if (options.with_header) {
    Table accounts({"ACCOUNT", "SIZE", "INODES", "LAYERS", "BLOBS"});
    const auto add = [&](const std::string& name, const SpaceOnDisk& space) {
      accounts.Add({name, HumanBytes(space.bytes), std::to_string(space.inodes),
                    std::to_string(space.snapshots), std::to_string(space.blobs)});
    };
    for (const auto& account : use.accounts) add(account.name, account.space);
    const SpaceOnDisk counted = use.Counted();
    add("all", counted);
    if (use.disk)
      accounts.Add({"other files there", Signed(Rest(use.disk->bytes, counted.bytes)),
                    std::to_string(Rest(use.disk->inodes, counted.inodes))});
    text = accounts.Render() + "\n";
  }
  Table images({"IMAGE", "IN USE", "SIZE", "UNIQUE", "SHARED", "FREES ALONE"});
  for (const auto& image : use.images)
    images.Add({image.name, image.in_use ? "yes" : "no", HumanBytes(image.total.bytes),
                HumanBytes(image.unique.bytes), HumanBytes(image.total.bytes - image.unique.bytes),
                Bound(image.freed)});
  text += images.Render(options.with_header);
  if (!options.with_header) return text;
  for (const std::string& why : use.unread) text += "Not read: " + why + "\n";
  for (const auto& image : use.images)
    for (const std::string& name : image.survivors)
      text += "Warning: the runtime's own removal of " + image.name + " leaves the name " + name +
              ", and so frees nothing\n";
  for (const std::string& warning : use.warnings) text += "Warning: " + warning + "\n";
  return text +
         "FREES ALONE: when only this one goes; what several share goes with the last of "
         "them (`imagesweep df --if-removed IMAGE…`).\n";
}

}  // namespace imagesweep
