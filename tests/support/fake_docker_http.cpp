#include "tests/support/fake_docker_http.h"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

namespace imagesweep::fake_docker {

namespace {

std::string Decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

bool Older(const std::string& left, const std::string& right) {  // "1.9" before "1.41"
  const auto minor = [](const std::string& text) {
    return std::stoi(text.substr(text.find('.') + 1));
  };
  return minor(left) < minor(right);
}

}  // namespace

FakeEngineRequest ParseTarget(std::string method, std::string target) {
  FakeEngineRequest request;
  request.method = std::move(method);
  if (target.starts_with("/v") && target.size() > 2 && target[2] >= '0' && target[2] <= '9') {
    const auto end = target.find('/', 1);
    request.version = target.substr(2, end - 2);
    target.erase(0, end);
  }
  request.target = target;
  const auto question = target.find('?');
  request.path = Decoded(std::string_view(target).substr(0, question));
  if (question != std::string::npos) {
    std::string_view rest = std::string_view(target).substr(question + 1);
    while (!rest.empty()) {
      const auto part = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(rest.size(), part.size() + 1));
      const auto equals = part.find('=');
      request.query[Decoded(part.substr(0, equals))] =
          equals == std::string_view::npos ? "" : Decoded(part.substr(equals + 1));
    }
  }
  return request;
}

std::string Chunk(const std::string& data) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", data.size());
  return size + data + "\r\n";
}

std::string Head(const FakeEngineNode& node, const FakeEngineReply& reply, bool chunked) {
  std::map<std::string, std::string> headers = {{"Api-Version", node.api_version},
                                                {"Docker-Experimental", "false"},
                                                {"Ostype", "linux"},
                                                {"Server", "Docker/" + node.version + " (linux)"},
                                                {"Content-Type", "application/json"}};
  if (chunked) {
    headers["Transfer-Encoding"] = "chunked";
  } else {
    headers["Content-Length"] = std::to_string(reply.content_length.value_or(reply.body.size()));
  }
  for (const auto& [key, value] : reply.headers) headers[key] = value;
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " Any\r\n";
  for (const auto& [key, value] : headers) {
    if (!value.empty()) head += key + ": " + value + "\r\n";
  }
  return head + "\r\n";
}

std::optional<FakeEngineReply> Refused(const FakeEngineNode& node, const std::string& version) {
  if (Older(version, node.min_api_version)) {
    return FakeEngineReply::Failure(
        400, "client version " + version + " is too old. Minimum supported API version is " +
                 node.min_api_version + ", please upgrade your client to a newer version");
  }
  if (!Older(node.api_version, version)) return {};
  return FakeEngineReply::Failure(400, "client version " + version +
                                           " is too new. Maximum supported API version is " +
                                           node.api_version);
}

}  // namespace imagesweep::fake_docker
