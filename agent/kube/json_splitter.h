#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace imagesweep::kube {

// Cuts a stream of JSON objects into objects, by their braces and not by newlines: an object may
// come in any pieces, several may come at once (client-go's framer.go reads values the same way).
// Refuses to grow past its limits, so a broken server cannot take the node's memory.
class JsonSplitter {
 public:
  enum class Fed {
    kWantsMore,
    kStopped,    // `on_object` said so
    kMalformed,  // not a stream of objects, too large or too deep: nothing after this can be
                 // trusted
  };
  static constexpr std::size_t kMaxObject = 16U << 20;
  static constexpr int kMaxDepth = 100;

  using OnObject = std::function<bool(std::string_view object)>;
  Fed Feed(std::string_view piece, const OnObject& on_object);
  // In the middle of an object: what came of it must be dropped.
  bool mid_object() const { return depth_ > 0; }

 private:
  std::string pending_;
  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace imagesweep::kube
