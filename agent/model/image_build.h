#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/image.h"
#include "agent/model/image_pos.h"

namespace imagesweep {

// What the config of an image says about its build, as a runtime reports it.  Whoever builds an
// image may write anything there, so no decision depends on it.
struct BuildFacts {
  std::map<std::string, std::string> labels;
  std::vector<std::string> created_by;  // of each step in the history, the first one first
};

// Reads it from the runtime.
class BuildReader {
 public:
  virtual ~BuildReader() = default;
  // Empty facts: the runtime does not report them, or no longer has the image.
  virtual Result<BuildFacts> ReadBuild(const Image& image, const std::stop_token& stop) = 0;
};

// The parts of it that help people to build the image again.
struct ImageBuild {
  ImagePos image;
  std::string source;           // label org.opencontainers.image.source
  std::string revision;         // label org.opencontainers.image.revision
  std::string compose_project;  // labels of Docker Compose
  std::string compose_service;
  std::vector<std::string> steps;  // see StepsOf in agent/gc/observe/image_builds.h

  // True if nothing is known.
  bool empty() const {
    return source.empty() && revision.empty() && compose_service.empty() && steps.empty();
  }
};

}  // namespace imagesweep
