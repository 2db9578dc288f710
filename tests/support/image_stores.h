#pragma once

#include <string>
#include <utility>

#include "agent/model/image_stores.h"
#include "tests/support/images.h"

namespace imagesweep {

// Builds an image store image by image.
class StoreBuilder {
 public:
  StoreBuilder() { store_.runtime = {"containerd", "2.1.4", "unix:///run/c.sock", 7}; }
  // With kInUse, the container of `by` uses the image.
  StoreBuilder& Add(Image image, Code code = Code::kIdle,
                    ImageUser by = {ImageUserKind::kContainer, "shop", "api", "web"}) {
    Decision decision;
    decision.image = ImagePos(store_.seen.images.size());
    decision.code = code;
    if (code == Code::kInUse) {
      decision.used_by.push_back(static_cast<std::uint32_t>(store_.seen.references.size()));
      store_.seen.references.push_back({image.id.text(), {}, std::move(by)});
      ++store_.containers;
    }
    store_.decisions.push_back(std::move(decision));
    store_.seen.images.push_back(std::move(image));
    return *this;
  }
  StoreBuilder& Disk(DiskUsage usage, std::string file_system) {
    store_.disks.push_back({std::move(usage), std::move(file_system)});
    return *this;
  }
  ImageStore& store() { return store_; }
  const ImageStore& store() const { return store_; }

 private:
  ImageStore store_;
};

inline StoreReading Read(const StoreBuilder& builder, std::string endpoint = "unix:///run/c.sock") {
  return {std::move(endpoint), builder.store()};
}
inline StoreReading Unread() {
  return {"unix:///run/none.sock", Error{ErrorKind::kUnavailable, "connection refused"}};
}

}  // namespace imagesweep
