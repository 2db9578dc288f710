#include "agent/runtime/store/store_reader.h"

#include <string>
#include <unordered_set>
#include <utility>

#include "agent/imagestore/graph/graph.h"

namespace imagesweep::store {
namespace {

using layers::Unread;

void FindUnlisted(LayerStore& store, std::span<const Image> images) {
  std::unordered_set<std::string> stored;
  for (const StoredImage& image : store.images) stored.insert(ImageKey(image.id));
  std::size_t count = 0;
  const Image* first = nullptr;
  for (const Image& image : images) {
    if (stored.contains(ImageKey(image.id.text()))) continue;
    if (count++ == 0) first = &image;
  }
  if (count > 0)
    store.Missed(Unread::What::kObjects, std::to_string(count) +
                                             " images of the runtime are not in its store, the " +
                                             "first: " + ImageKey(first->id.text()));
}

}  // namespace

StoreReader::StoreReader(ReadStore read, ReadDisk disk, const Clock& clock)
    : read_(std::move(read)), disk_(std::move(disk)), clock_(clock) {}

Result<std::shared_ptr<const layers::LayerGraph>> StoreReader::Read(std::span<const Image> images,
                                                                    const std::stop_token& stop) {
  auto store = read_(stop);
  if (!store) return std::move(store).error();
  FindUnlisted(*store, images);
  const layers::Disk disk = disk_ ? disk_() : layers::Disk{};
  return std::shared_ptr<const layers::LayerGraph>(
      std::make_shared<layers::LayerGraph>(ToSnapshot(*store, disk, clock_.Now()), images));
}

}  // namespace imagesweep::store
