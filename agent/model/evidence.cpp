#include "agent/model/evidence.h"

namespace imagesweep {

std::vector<ImageReference> Evidence::AllReferences() const {
  std::vector<ImageReference> all;
  all.reserve(use.references.size() + (pods ? pods->references.size() : 0));
  if (pods) all.insert(all.end(), pods->references.begin(), pods->references.end());
  all.insert(all.end(), use.references.begin(), use.references.end());
  return all;
}

}  // namespace imagesweep
