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

// A JSON schema (draft 2020-12) of the document, for editors, CI, and the values of the chart.  It
// refuses no document that the parser accepts, as YAML 1.2 reads the document.  The parser is
// stricter: a schema cannot say what a pattern or a time zone is.
std::string PolicyJsonSchema();

}  // namespace imagesweep
