#include "agent/kube/client/micro_time.h"

namespace imagesweep::kube {

std::string MicroTime(SystemTime time) {
  std::string text = FormatTime(time);
  text.insert(text.size() - 1, "000");
  return text;
}

}  // namespace imagesweep::kube
