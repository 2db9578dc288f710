#include "agent/kube/json_splitter.h"

#include <utility>

namespace imagesweep::kube {

JsonSplitter::Fed JsonSplitter::Feed(std::string_view piece, const OnObject& on_object) {
  std::size_t start = 0;
  for (std::size_t i = 0; i < piece.size(); ++i) {
    const char c = piece[i];
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
      continue;
    }
    if (depth_ == 0) {
      if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
      if (c != '{') return Fed::kMalformed;
      start = i;
    }
    if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      if (++depth_ > kMaxDepth) return Fed::kMalformed;
    } else if ((c == '}' || c == ']') && --depth_ == 0) {
      pending_.append(piece.substr(start, i + 1 - start));
      start = i + 1;
      const std::string object = std::exchange(pending_, {});
      if (object.size() > kMaxObject) return Fed::kMalformed;
      if (!on_object(object)) return Fed::kStopped;
    }
  }
  if (depth_ > 0) pending_.append(piece.substr(start));
  return pending_.size() > kMaxObject ? Fed::kMalformed : Fed::kWantsMore;
}

}  // namespace imagesweep::kube
