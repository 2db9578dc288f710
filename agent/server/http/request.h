#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "agent/server/http/server.h"

namespace imagesweep {

// The part of a request that matters here.
struct HttpRequest {
  bool head = false;  // HEAD: only the headers
  std::string path;   // as received, not decoded
  std::string query;
  std::string host;  // the Host header as received; empty: none
  // The request came through a proxy (Forwarded, Via, X-Forwarded-…): a sidecar has an address of
  // this host, but its client does not.
  bool forwarded = false;
};

// Parses `head`, up to its empty line.  Returns the error reply for an invalid request.
std::variant<HttpRequest, HttpReply> ParseHead(std::string_view head);

// True if a Host header names this host without DNS: "localhost" or an address, with or without a
// port, or no header.
bool NamesThisHost(std::string_view host);

// The serialized reply; for HEAD without its body.
std::string Serialise(const HttpReply& reply, bool head);

}  // namespace imagesweep
