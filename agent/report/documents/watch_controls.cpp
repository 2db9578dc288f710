#include "agent/report/documents/watch_controls.h"

#include <cstddef>

namespace imagesweep {
namespace {

constexpr std::size_t kLongestFilter = 256;  // bytes; no image name is longer

ImageOrder After(ImageOrder order) {
  switch (order) {
    case ImageOrder::kName:
      return ImageOrder::kSize;
    case ImageOrder::kSize:
      return ImageOrder::kAge;
    case ImageOrder::kAge:
      return ImageOrder::kLastUsed;
    case ImageOrder::kLastUsed:
      return ImageOrder::kName;
  }
  return ImageOrder::kName;
}

void RemoveLastCharacter(std::string& text) {
  const auto continues = [&] { return (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80; };
  while (text.size() > 1 && continues()) text.pop_back();
  if (!text.empty()) text.pop_back();
}

void Search(WatchControls& controls, const Key& key) {
  switch (key.kind) {
    case Key::Kind::kCharacter:
      if (controls.filter.size() + key.text.size() <= kLongestFilter) controls.filter += key.text;
      break;
    case Key::Kind::kBackspace:
      RemoveLastCharacter(controls.filter);
      break;
    case Key::Kind::kEnter:
      controls.searching = false;
      break;
    case Key::Kind::kEscape:
      controls.filter.clear();
      controls.searching = false;
      break;
    case Key::Kind::kSuspend:
      break;
  }
}

}  // namespace

std::string ToString(ImageOrder order) {
  switch (order) {
    case ImageOrder::kName:
      return "name";
    case ImageOrder::kSize:
      return "size";
    case ImageOrder::kAge:
      return "age";
    case ImageOrder::kLastUsed:
      return "last used";
  }
  return "name";
}

WatchControls Apply(WatchControls controls, const Key& key) {
  if (controls.searching) {
    Search(controls, key);
  } else if (key.kind == Key::Kind::kEscape) {
    controls.filter.clear();
  } else if (key.kind == Key::Kind::kCharacter) {
    if (key.text == "q") controls.quit = true;
    if (key.text == "s") controls.order = After(controls.order);
    if (key.text == "?") controls.shows_keys = !controls.shows_keys;
    if (key.text == "/") {
      controls.filter.clear();
      controls.searching = true;
    }
  }
  return controls;
}

}  // namespace imagesweep
