#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "agent/http/server.h"

namespace imagesweep {

// The part of a request that matters here.
struct HttpRequest {
  bool head = false;  // HEAD: the headers alone
  std::string path;   // as it came, not decoded
  std::string query;
  std::string host;  // of the Host header, as it came; empty: none
  // A proxy says that it speaks for somebody else (Forwarded, Via, X-Forwarded-…): a sidecar's
  // address is this host's, and who it speaks for is not.
  bool forwarded = false;
};

// `head` up to its empty line.  Whatever is no request for us is the reply that says so.
std::variant<HttpRequest, HttpReply> ParseHead(std::string_view head);

// Whether a Host header names this host and nothing that a stranger's DNS could answer for:
// "localhost", an address, each with a port or without; and none at all.
bool NamesThisHost(std::string_view host);

// The reply as it goes over the wire; of a HEAD without its body.
std::string Serialise(const HttpReply& reply, bool head);

}  // namespace imagesweep
