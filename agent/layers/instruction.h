#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace imagesweep::layers {

// A build step's text (history.created_by) as people wrote it: without "/bin/sh -c #(nop)", which
// the old builder put before it, and "# buildkit" behind it.
std::string_view Instruction(std::string_view created_by);

// Whether it is an instruction of a Dockerfile that makes a layer.  Other builders write the same
// line for each of their layers ("bazel build ...", "jib-maven-plugin:3.4.0").
bool IsDockerfileInstruction(std::string_view created_by);

// The instruction with what changes from build to build taken out: two steps of equal shape are the
// same line of a Dockerfile, or of its copy in another project.  "COPY dir:4f8e… in /app" becomes
// "COPY dir:# in /app", "pip install torch==2.1.0" becomes "pip install torch==#".
std::string InstructionShape(std::string_view created_by);

// What a base image says of its own version: "ENV PYTHON_VERSION=3.11.4".
struct VersionSetting {
  std::string_view name;   // "PYTHON_VERSION"
  std::string_view minor;  // "3.11"
  std::string_view full;   // "3.11.4"
};
std::optional<VersionSetting> ReadVersionSetting(std::string_view created_by);

// Splits "3.11.4" into "3.11" and the whole: three numbers at least, the last one is the patch;
// what follows a "-" is kept apart ("3.11.4-slim": flavour "-slim").
struct PatchVersion {
  std::string_view minor, full, flavour;
};
std::optional<PatchVersion> ReadPatchVersion(std::string_view text);

}  // namespace imagesweep::layers
