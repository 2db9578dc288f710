#include "agent/cmd/version.h"

namespace imagesweep {

std::string Version() {
  return IMAGESWEEP_VERSION;
}
std::string Revision() {
  return IMAGESWEEP_REVISION;
}

std::string VersionLine() {
  return "imagesweep " + Version() + " (revision " + Revision() + ", CRI v1)";
}

}  // namespace imagesweep
