#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/image.h"

namespace imagesweep {

// Names of images in tables for people: without "docker.io/library/" or "docker.io/", if the short
// name means the same image in a pod and no other registry has the same path on this node.
class ShortNames {
 public:
  ShortNames() = default;  // knows no names; Of() then shortens all that it can
  explicit ShortNames(const std::vector<Image>& images);
  // Names that shorten nothing, for documents and -o wide.
  static ShortNames Full();

  // A name on this node, with its registry.
  void Add(std::string_view name);
  // "nginx:1.25" for "docker.io/library/nginx:1.25".  Also for names whose digest is shortened.
  std::string Of(std::string_view name) const;

 private:
  bool full_ = false;
  std::set<std::string, std::less<>> other_paths_;  // of registries that are not docker.io
};

}  // namespace imagesweep
