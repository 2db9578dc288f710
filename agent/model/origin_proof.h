#pragma once

#include <span>
#include <string>
#include <vector>

#include "agent/model/image.h"

namespace imagesweep {

// Evidence that one repository of a registry has, or had, an image.
struct OriginProof {
  std::string repository;  // normalised, with its port: "docker.io/library/nginx", "host:5000/app"
  std::string pull_by;     // repository@digest
  std::string evidence;    // one line
};

// The findings of one source of evidence about images.
struct OriginFindings {
  // Parallel to the images.  Empty: this source has no evidence for any of them.
  std::vector<std::vector<OriginProof>> proofs;
  std::string missing;  // why an image has no proof; empty: this source cannot tell
  std::vector<std::string> warnings = {};
};

// Returns the origin of an image by all proofs that were found for it.  Pure.
//
// An image counts as pulled only if every repository of its tags has a proof: a removal deletes all
// names, and a name that only this node knows (`ctr images tag`, `docker tag`) cannot be pulled
// again.  Repo digests without a proof do not count, because runtimes and builders generate them.
// `missing` tells why there is no proof.
Origin JudgeOrigin(const Image& image, std::span<const OriginProof> proofs,
                   const std::string& missing);

}  // namespace imagesweep
