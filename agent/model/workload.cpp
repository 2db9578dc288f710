#include "agent/model/workload.h"

namespace imagesweep {

std::string Describe(const WorkloadReference& reference) {
  std::string text = reference.kind + " " + reference.workload_namespace + "/" + reference.name;
  if (reference.revision > 0) text += ", revision " + std::to_string(reference.revision);
  return text;
}

}  // namespace imagesweep
