#pragma once

#include <string>

namespace imagesweep {

// One key that `imagesweep watch` may react to.
struct Key {
  enum class Kind { kCharacter, kEnter, kEscape, kBackspace, kSuspend };
  Kind kind = Kind::kCharacter;
  std::string text = {};  // of kCharacter: one printable character in UTF-8

  bool operator==(const Key&) const = default;
};

// The order of the images in `imagesweep watch`.  Ages, like the column AGE of `imagesweep images`,
// are times without a use.
enum class ImageOrder {
  kName,
  kSize,      // largest first
  kAge,       // oldest first
  kLastUsed,  // longest ago first; images that were never seen in use before all others
};

std::string ToString(ImageOrder order);  // "last used"

// Everything that keys change in `imagesweep watch`.
struct WatchControls {
  ImageOrder order = ImageOrder::kName;
  std::string filter = {};  // the shown images have it in a name, in any case; empty: all images
  bool searching = false;   // keys edit the filter
  bool shows_keys = false;  // the last line lists the keys
  bool quit = false;

  bool operator==(const WatchControls&) const = default;
};

// The controls after a key.  Pure.
WatchControls Apply(WatchControls controls, const Key& key);

}  // namespace imagesweep
