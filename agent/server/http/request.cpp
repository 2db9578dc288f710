#include "agent/server/http/request.h"

#include <arpa/inet.h>

#include <algorithm>

namespace imagesweep {
namespace {

constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";  // RFC 9110, 5.6.2

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool IsToken(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return IsAlphanumeric(c) || kTokenMarks.find(c) != std::string_view::npos;
  });
}

bool SameWord(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Removes and returns the text up to `end`; also removes `end`.
std::string_view Take(std::string_view& rest, std::string_view end) {
  const auto at = rest.find(end);
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + end.size());
  return taken;
}

HttpReply ErrorReply(int status, const std::string& what) {
  return {status, "text/plain; charset=utf-8", what + "\n"};
}

std::string_view Phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:  // programs ignore the phrase
      return "Other";
  }
}

// A header that only proxies write.
bool IsProxys(std::string_view name) {
  constexpr std::string_view kPrefixes[] = {"x-forwarded-", "x-envoy-"};
  return SameWord(name, "forwarded") || SameWord(name, "via") || SameWord(name, "x-real-ip") ||
         std::ranges::any_of(kPrefixes, [&](std::string_view prefix) {
           return SameWord(name.substr(0, prefix.size()), prefix);
         });
}

}  // namespace

std::variant<HttpRequest, HttpReply> ParseHead(std::string_view head) {
  std::string_view line = Take(head, "\r\n");
  const std::string_view method = Take(line, " ");
  std::string_view target = Take(line, " ");
  if (!IsToken(method) || target.empty() || !line.starts_with("HTTP/"))
    return ErrorReply(400, "not an HTTP request");
  if (!line.starts_with("HTTP/1."))
    return ErrorReply(505, "only HTTP/1.0 and HTTP/1.1 are supported");
  if (method != "GET" && method != "HEAD") {
    HttpReply reply = ErrorReply(405, "only GET and HEAD are allowed");
    reply.headers.emplace_back("Allow", "GET, HEAD");
    return reply;
  }
  HttpRequest request;
  request.head = method == "HEAD";
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;  // the absolute form, which proxies use
    target.remove_prefix(scheme.size());
    target.remove_prefix(std::min(target.find('/'), target.size()));
  }
  if (!target.starts_with('/')) return ErrorReply(400, "the request target is not a path");
  request.path = Take(target, "?");
  request.query = target;
  while (!head.empty()) {
    std::string_view value = Take(head, "\r\n");
    const std::string_view name = Take(value, ":");
    if (SameWord(name, "host")) request.host = Trimmed(value);
    request.forwarded = request.forwarded || IsProxys(name);
  }
  return request;
}

bool NamesThisHost(std::string_view host) {
  if (host.empty()) return true;
  std::string name;
  if (host.starts_with('[')) {
    name = host.substr(1, host.find(']') - 1);
    in6_addr address{};
    return inet_pton(AF_INET6, name.c_str(), &address) == 1;
  }
  name = host.substr(0, host.rfind(':'));
  in_addr address{};
  return SameWord(name, "localhost") || inet_pton(AF_INET, name.c_str(), &address) == 1;
}

std::string Serialise(const HttpReply& reply, bool head) {
  std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " " +
                     std::string(Phrase(reply.status)) + "\r\nContent-Type: " + reply.content_type +
                     "\r\nContent-Length: " + std::to_string(reply.body.size()) +
                     "\r\nConnection: close\r\nX-Content-Type-Options: nosniff"
                     "\r\nCache-Control: no-store\r\n";
  for (const auto& [name, value] : reply.headers)
    text.append(name).append(": ").append(value).append("\r\n");
  text += "\r\n";
  if (!head) text += reply.body;
  return text;
}

}  // namespace imagesweep
