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
  std::string evidence;    // one line for people
};

// What one source of evidence says of images.
struct OriginFindings {
  // Parallel to the images; empty: this source says nothing of any of them.
  std::vector<std::vector<OriginProof>> proofs;
  std::string missing;  // why an image without a proof has none; empty: not for this source to say
  std::vector<std::string> warnings = {};
};

// The origin of an image by all proofs that were found for it.  Pure.
//
// An image counts as pulled only when every repository of its tags is proven: a removal takes all
// names, and a name that only this node knows (`ctr images tag`, `docker tag`) would not come back.
// Repo digests without a proof do not count against it: runtimes and builders make them up.
// `missing` is why there is no proof, for people.
Origin JudgeOrigin(const Image& image, std::span<const OriginProof> proofs,
                   const std::string& missing);

}  // namespace imagesweep
