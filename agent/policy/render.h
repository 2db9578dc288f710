#pragma once

#include <string>

#include "agent/model/policy.h"

namespace imagesweep {

// The policy as YAML with every field written out; ParsePolicy reads the same policy back.
std::string PolicyYaml(const Policy& policy);

// The same for the default policy, each field with a comment on what it means.
std::string DefaultPolicyYaml();

// The reference page: every field with its type, default and meaning.  Made from the table that the
// parser uses, so it cannot say anything else.
std::string PolicyReferenceMarkdown();

}  // namespace imagesweep
