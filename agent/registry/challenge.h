#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace imagesweep::registry {

// How a registry wants to be asked, from a WWW-Authenticate header.
// Source: RFC 9110, section 11.6.1; distribution, docs/content/spec/auth/token.md.
struct Challenge {
  bool bearer = false;  // else Basic
  std::string realm;    // of Bearer: the URL that gives tokens
  std::string service;
  std::string scope;
};

// The first challenge that is Bearer, else Basic; empty when there is neither.
std::optional<Challenge> ParseChallenge(std::string_view header);

}  // namespace imagesweep::registry
