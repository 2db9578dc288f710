#include "agent/runtime/containerd/name_restorer.h"

#include <map>
#include <utility>

#include "agent/runtime/containerd/image_records.h"

namespace imagesweep::containerd {

RecordRestorer::RecordRestorer(const std::shared_ptr<grpc::Channel>& channel, Options options)
    : stubs_(std::make_unique<MetadataReader::Stubs>(channel)), options_(std::move(options)) {}

RecordRestorer::~RecordRestorer() = default;

Status RecordRestorer::RestoreNames(const Image& image, const std::vector<std::string>& names,
                                    const std::stop_token& stop) {
  ImageRecords records(*stubs_, {options_.cri_namespace, options_.timeout}, stop);
  std::vector<std::string> left = {image.id.text()};
  for (const auto* list : {&image.tags, &image.digests})
    for (const ImageName& name : *list) left.push_back(name.text());
  std::map<std::string, std::string> by_target;  // digest -> a name that refers to it
  for (const std::string& name : left) {
    const auto target = records.Read(name);
    if (!target) return target.error();
    if (*target) by_target.emplace(**target, name);
  }
  std::string unknown;
  for (const std::string& name : names) {
    const auto there = records.Read(name);
    if (!there) return there.error();
    if (*there) continue;  // for this image, or now for another one
    const auto at = name.find('@');
    const auto of = at != std::string::npos ? by_target.find(name.substr(at + 1))
                    : by_target.size() == 1 ? by_target.begin()
                                            : by_target.end();
    if (of == by_target.end())
      unknown += (unknown.empty() ? "" : ", ") + name;
    else if (auto made = records.Create(of->second, name); !made)
      return made;
  }
  if (unknown.empty()) return Done{};
  return Error{ErrorKind::kIncomplete, "the former targets of these names are unknown: " + unknown};
}

}  // namespace imagesweep::containerd
