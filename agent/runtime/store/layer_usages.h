#pragma once

#include <ctime>
#include <functional>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"
#include "agent/runtime/store/directory.h"
#include "agent/runtime/store/layer_store.h"
#include "agent/runtime/store/tree_usage.h"

namespace imagesweep::store {

// The files of one layer, which are deleted with it.
struct LayerFiles {
  struct Part {
    const Directory* directory = nullptr;
    std::string name;
  };
  std::string directory;    // its name in the directory of the overlay driver
  std::vector<Part> parts;  // others, each of which may be missing
};

// Measures the layers of images, and remembers the result as long as the layer exists, because a
// committed layer never changes.  A layer that came back under the same ID is measured again: its
// directory has another inode or another time of change.
//
// The first measurement of a large node walks millions of files.  After `budget`, no further layer
// is begun: those that are left have no usage, and the next call goes on with them.  One thread at
// a time.
class LayerUsages {
 public:
  LayerUsages(const Clock& clock, Millis budget) : clock_(clock), budget_(budget) {}

  // Sets the usage of all layers below images.  `driver`: the directory "overlay" or "overlay2".
  // Layers without images are not measured, because no removal of an image deletes them.  A layer
  // that cannot be measured is told in `store.unread`.  The only error is kCancelled.
  Status Measure(LayerStore& store, const Directory& driver,
                 const std::function<LayerFiles(const StoredLayer&)>& files,
                 const std::stop_token& stop);

 private:
  struct Known {
    ino_t inode = 0;
    timespec changed{};
    TreeUsage tree;
  };
  Result<Known> MeasureOne(const Directory& driver, const Directory* links, const LayerFiles& files,
                           const std::string& id, const std::stop_token& stop) const;

  const Clock& clock_;
  const Millis budget_;
  std::unordered_map<std::string, Known> known_;  // by ID of the layer
};

}  // namespace imagesweep::store
