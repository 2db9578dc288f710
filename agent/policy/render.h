#pragma once

#include <string>

#include "agent/model/policy.h"

namespace imagesweep {

// The policy as YAML with all fields.  ParsePolicy reads the same policy back.
std::string PolicyYaml(const Policy& policy);

// The same for the default policy, with a comment on the meaning of each field.
std::string DefaultPolicyYaml();

// The reference page: every field with its type, default and meaning.  Generated from the table
// that the parser uses, so the two always agree.
std::string PolicyReferenceMarkdown();

// A JSON schema (draft 2020-12) of the document, for editors, CI, and the values of the chart.  The
// schema accepts every document that the parser accepts, if the document is YAML 1.2.  The parser
// is stricter, because a schema cannot check patterns and time zones.
std::string PolicyJsonSchema();

}  // namespace imagesweep
