#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "agent/model/workload.h"

namespace imagesweep {

// The same texts for the same seed: short texts of few letters, so that prefixes and whole texts
// repeat, and sometimes any bytes.
inline std::vector<WorkloadReference> RandomReferences(std::uint64_t seed, std::size_t most) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const auto text = [&] {
    std::string made(below(12), 'a');
    for (char& c : made)
      c = below(20) == 0 ? static_cast<char>(below(256)) : static_cast<char>('a' + below(3));
    return made;
  };
  std::vector<WorkloadReference> references(below(most + 1));
  for (WorkloadReference& one : references)
    one = {text(),
           text(),
           text(),
           text(),
           text(),
           static_cast<std::int64_t>(random()) >> below(64),
           static_cast<int>(below(5)),
           below(2) == 1};
  std::ranges::sort(references);
  references.erase(std::unique(references.begin(), references.end()), references.end());
  return references;
}

// A cluster with this number of Deployments, each with three revisions of one image.
inline std::vector<WorkloadReference> ClusterOf(int workloads) {
  std::vector<WorkloadReference> references;
  std::mt19937_64 random(7);
  for (int i = 0; i < workloads; ++i) {
    const std::string number = std::to_string(i);
    const std::string team = "team-" + std::to_string(i % 97);
    const auto newest = static_cast<std::int64_t>(3 + random() % 200);
    for (int back = 0; back < 3; ++back) {
      std::string digest;
      for (int n = 0; n < 4; ++n) {
        char hex[17];
        std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(random()));
        digest += hex;
      }
      // Half by tag, and half by digest, which does not compress.
      const std::string repository = "registry.example.com/" + team + "/service-" + number;
      references.push_back({i % 2 == 0 ? repository + ":1." + std::to_string(newest - back) + ".0"
                                       : repository + "@sha256:" + digest,
                            "Deployment", team, "service-" + number, "main", newest - back, back,
                            i % 10 == 0});
    }
  }
  std::ranges::sort(references);
  return references;
}

}  // namespace imagesweep
