#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace imagesweep::registry {

// The authentication that a registry demands, from a WWW-Authenticate header.
// Source: RFC 9110, section 11.6.1; distribution, docs/content/spec/auth/token.md.
struct Challenge {
  bool bearer = false;  // false: Basic
  std::string realm;    // for Bearer: the URL of the token service
  std::string service;
  std::string scope;
};

// Returns the first Bearer challenge, else the last Basic challenge.  Empty: there is none.
std::optional<Challenge> ParseChallenge(std::string_view header);

}  // namespace imagesweep::registry
