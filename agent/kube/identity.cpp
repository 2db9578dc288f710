#include "agent/kube/identity.h"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace imagesweep::kube {
namespace {

constexpr Millis kReread = std::chrono::seconds(50);
const std::string kServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/";

std::string Trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.pop_back();
  return text;
}

}  // namespace

Result<std::string> ReadSmallFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const int code = errno;
    return Error{code == EACCES ? ErrorKind::kDenied : ErrorKind::kNotFound,
                 "cannot read " + path + ": " + std::generic_category().message(code)};
  }
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return Error{ErrorKind::kInternal, "cannot read " + path};
  return text;
}

std::string ReadEnvironment(const char* name) {
  const char* value =
      std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here sets variables
  return value == nullptr ? std::string() : value;
}

Result<ApiServer> InCluster(const ReadEnv& env, const ReadFile& read) {
  std::string host = env("KUBERNETES_SERVICE_HOST");
  const std::string port = env("KUBERNETES_SERVICE_PORT");
  if (host.empty() || port.empty())
    return Error{
        ErrorKind::kInvalid,
        "not inside a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set"};
  if (host.find(':') != std::string::npos) host = "[" + host + "]";  // IPv6
  ApiServer server;
  server.url = "https://" + host + ":" + port;
  auto ca = read(kServiceAccount + "ca.crt");
  if (!ca) return std::move(ca).error().Wrap("service account");
  server.ca = *std::move(ca);
  server.token_file = kServiceAccount + "token";
  auto token = read(server.token_file);
  if (!token) return std::move(token).error().Wrap("service account");
  if (Trimmed(*token).empty())
    return Error{ErrorKind::kInvalid, "service account: " + server.token_file + " is empty"};
  return server;
}

TokenSource::TokenSource(const ApiServer& server, ReadFile read, const Clock& clock)
    : file_(server.token_file), read_(std::move(read)), clock_(clock), token_(server.token) {}

std::string TokenSource::Current() {
  const std::scoped_lock lock(mu_);
  const SteadyTime now = clock_.Steady();
  if (file_.empty() || (!stale_ && now - read_at_ < kReread)) return token_;
  if (auto fresh = read_(file_); fresh && !Trimmed(*fresh).empty()) {
    token_ = Trimmed(*std::move(fresh));
    stale_ = false;
    read_at_ = now;
  }
  return token_;
}

void TokenSource::Refused() {
  const std::scoped_lock lock(mu_);
  stale_ = true;
}

}  // namespace imagesweep::kube
