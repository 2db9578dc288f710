#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/codec.h"
#include "agent/imagestore/graph/graph.h"
#include "agent/imagestore/graph/metadata_snapshot.h"
#include "agent/model/image.h"

namespace imagesweep::store {

namespace fs = std::filesystem;

// A temporary directory, deleted at the end.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "store-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = name;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

inline void Write(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

// 64 hex digits that depend on the text.
inline std::string Hex(std::string_view text) {
  return Sha256Hex(text);
}

// An image as the runtime lists it.
inline Image Listed(const std::string& id) {
  Image image;
  image.id = ImageId(id);
  return image;
}

// Like du(1): the blocks and inodes of a tree.
inline layers::Usage Du(const fs::path& top) {
  layers::Usage usage;
  std::set<ino_t> seen;
  const auto add = [&](const fs::path& path) {
    struct stat its {};
    if (lstat(path.c_str(), &its) != 0) throw std::runtime_error("lstat failed");
    if (!seen.insert(its.st_ino).second) return;
    usage.bytes += static_cast<std::uint64_t>(its.st_blocks) * 512;
    ++usage.inodes;
  };
  add(top);
  if (!fs::is_directory(fs::symlink_status(top))) return usage;
  for (const auto& entry : fs::recursive_directory_iterator(top)) add(entry.path());
  return usage;
}

inline std::string Quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

// A store of containers/storage in the layout that skopeo 1.9 and CRI-O 1.34 leave.  Names stand
// for the IDs Hex(name).
class MadeUpContainersStore {
 public:
  MadeUpContainersStore() {
    for (const char* name : {"overlay/l", "overlay-images", "overlay-layers", "overlay-containers"})
      fs::create_directories(root() / name);
  }
  fs::path root() const { return scratch_.path() / "root"; }

  void AddLayer(const std::string& name, const std::string& parent, std::size_t bytes) {
    const fs::path layer = root() / "overlay" / Hex(name);
    for (const char* part : {"diff", "work", "merged"}) fs::create_directories(layer / part);
    Write(layer / "diff/data/file", std::string(bytes, 'x'));
    Write(layer / "diff/small", "small");
    fs::create_hard_link(layer / "diff/small", layer / "diff/data/twin");
    fs::create_symlink("/etc", layer / "diff/data/link");
    Write(layer / "link", LinkOf(name));
    fs::create_symlink("../" + Hex(name) + "/diff", root() / "overlay/l" / LinkOf(name));
    if (!parent.empty()) Write(layer / "lower", "l/" + LinkOf(parent));
    Write(root() / "overlay-layers" / (Hex(name) + ".tar-split.gz"), std::string(100, 's'));
    layers_[name] = parent;
    WriteIndexes();
  }
  void AddImage(const std::string& name, const std::string& top, std::string_view config = "{}") {
    const fs::path own = root() / "overlay-images" / Hex(name);
    Write(own / "manifest", "{}");
    Write(own / ("=" + ToBase64("sha256:" + Hex(name))), config);
    images_[name] = top;
    WriteIndexes();
  }
  void AddContainer(const std::string& name, const std::string& image) {
    AddLayer("layer of " + name, images_.at(image), 10);
    containers_[name] = image;
    WriteIndexes();
  }
  // As the library does: the image, and then each layer that nothing is on any longer.
  void DeleteImage(const std::string& name) {
    std::string layer = images_.at(name);
    images_.erase(name);
    fs::remove_all(root() / "overlay-images" / Hex(name));
    while (!layer.empty() && !Used(layer)) {
      const std::string parent = layers_.at(layer);
      layers_.erase(layer);
      fs::remove_all(root() / "overlay" / Hex(layer));
      fs::remove(root() / "overlay/l" / LinkOf(layer));
      fs::remove(root() / "overlay-layers" / (Hex(layer) + ".tar-split.gz"));
      layer = parent;
    }
    WriteIndexes();
  }
  fs::path Index(const std::string& kind) const {
    return root() / ("overlay-" + kind) / (kind + ".json");
  }
  std::vector<Image> Images() const {
    std::vector<Image> list;
    for (const auto& [name, top] : images_) list.push_back(Listed(Hex(name)));
    return list;
  }
  std::uint32_t At(const std::string& name) const {
    return static_cast<std::uint32_t>(std::distance(images_.begin(), images_.find(name)));
  }

 private:
  static std::string LinkOf(const std::string& name) { return Hex(name).substr(0, 26); }

  bool Used(const std::string& layer) const {
    for (const auto& [name, top] : images_)
      if (top == layer) return true;
    for (const auto& [name, parent] : layers_)
      if (parent == layer) return true;
    return false;
  }
  void WriteIndexes() const {
    std::string images, layers, containers;
    const auto field = [](const char* key, const std::string& name) {
      return name.empty() ? std::string() : ",\"" + std::string(key) + "\":" + Quoted(Hex(name));
    };
    const auto add = [](std::string& list, const std::string& entry) {
      list += (list.empty() ? "" : ",") + entry;
    };
    for (const auto& [name, top] : images_)
      add(images, "{\"id\":" + Quoted(Hex(name)) + field("layer", top) +
                      ",\"names\":[\"registry.example/" + name + ":v1\"],\"created\":\"2025\"}");
    for (const auto& [name, parent] : layers_)
      add(layers, "{\"id\":" + Quoted(Hex(name)) + field("parent", parent) + ",\"diff-size\":1}");
    for (const auto& [name, image] : containers_)
      add(containers, "{\"id\":" + Quoted(Hex(name)) + field("image", image) +
                          field("layer", "layer of " + name) + "}");
    Write(Index("images"), "[" + images + "]");
    Write(Index("layers"), "[" + layers + "]");
    Write(Index("containers"), "[" + containers + "]");
  }

  Scratch scratch_;
  std::map<std::string, std::string> images_, layers_, containers_;  // -> top, parent, image
};

// A clock that stands still, unless a test moves it.
class StillClock final : public Clock {
 public:
  SystemTime Now() const override { return {}; }
  SteadyTime Steady() const override { return steady += step; }
  bool Sleep(Millis, const std::stop_token& stop) const override { return !stop.stop_requested(); }
  mutable SteadyTime steady{};
  Millis step{0};  // that each look takes
};

constexpr layers::Disk kExt4{layers::FileSystem::kExt4, 4096};

}  // namespace imagesweep::store
