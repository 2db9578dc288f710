#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "agent/model/image_pos.h"

namespace imagesweep {

// Maps text to one or several images.  Built once, then only read.  Uses two flat arrays instead
// of a node per entry, because every run builds the index over the node's images again.  Holds
// views into the texts.
class StringMultimap {
 public:
  explicit StringMultimap(std::size_t entries) {
    std::size_t buckets = 16;
    while (buckets < entries * 2) buckets *= 2;
    heads_.assign(buckets, kEnd);
    entries_.reserve(entries);
  }

  void Add(std::string_view text, ImagePos image) {
    std::uint32_t& head = heads_[Bucket(text)];
    entries_.push_back({text, image, head});
    head = static_cast<std::uint32_t>(entries_.size() - 1);
  }

  // Appends the images of `text` to `out`.  Returns false if there are none.
  bool Find(std::string_view text, std::vector<ImagePos>& out) const {
    bool found = false;
    for (std::uint32_t at = heads_[Bucket(text)]; at != kEnd; at = entries_[at].next) {
      if (entries_[at].text != text) continue;
      out.push_back(entries_[at].image);
      found = true;
    }
    return found;
  }

 private:
  static constexpr std::uint32_t kEnd = 0xFFFFFFFF;
  struct Entry {
    std::string_view text;
    ImagePos image;
    std::uint32_t next;
  };
  std::size_t Bucket(std::string_view text) const {
    return std::hash<std::string_view>()(text) & (heads_.size() - 1);
  }
  std::vector<std::uint32_t> heads_;
  std::vector<Entry> entries_;
};

}  // namespace imagesweep
