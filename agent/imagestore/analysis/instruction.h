#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace imagesweep::layers {

// The text of a build step (history.created_by) as in the Dockerfile: without the prefix
// "/bin/sh -c #(nop)" of the old builder and the suffix "# buildkit".
std::string_view Instruction(std::string_view created_by);

// True for a Dockerfile instruction that creates a layer.  Other builders write the same line for
// each of their layers ("bazel build ...", "jib-maven-plugin:3.4.0").
bool IsDockerfileInstruction(std::string_view created_by);

// The instruction without the parts that change from build to build.  Two steps of equal shape are
// the same line of a Dockerfile, or of its copy in another project.  "COPY dir:4f8e… in /app"
// becomes "COPY dir:# in /app", "pip install torch==2.1.0" becomes "pip install torch==#".
std::string InstructionShape(std::string_view created_by);

// The version of a base image in its environment: "ENV PYTHON_VERSION=3.11.4".
struct VersionSetting {
  std::string_view name;   // "PYTHON_VERSION"
  std::string_view minor;  // "3.11"
  std::string_view full;   // "3.11.4"
};
std::optional<VersionSetting> ReadVersionSetting(std::string_view created_by);

// Splits "3.11.4" into "3.11" and the whole.  Needs at least three numbers, of which the last is
// the patch version.  A suffix after "-" is separate ("3.11.4-slim": flavour "-slim").
struct PatchVersion {
  std::string_view minor, full, flavour;
};
std::optional<PatchVersion> ReadPatchVersion(std::string_view text);

}  // namespace imagesweep::layers
