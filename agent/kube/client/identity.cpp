#include "agent/kube/client/identity.h"

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
  // Opening a directory succeeds, and the first read fails: then the library throws.
  try {
    return std::string{std::istreambuf_iterator<char>(file), {}};
  } catch (const std::ios_base::failure& error) {
    return Error{ErrorKind::kNotFound, "cannot read " + path + ": " + error.code().message()};
  }
}

std::string ReadEnvironment(const char* name) {
  const char* value =
      std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here sets variables
  return value == nullptr ? std::string() : value;
}

Result<std::string> ReadToken(const std::string& path, const ReadFile& read) {
  auto text = read(path);
  if (!text) return text;
  std::string token = Trimmed(*std::move(text));
  if (token.empty()) return Error{ErrorKind::kInvalid, path + " is empty"};
  // The token goes into a header line.
  if (token.find_first_of(" \t\r\n") != std::string::npos)
    return Error{ErrorKind::kInvalid, path + " does not contain a token"};
  return token;
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
  auto token = ReadToken(server.token_file, read);
  if (!token) return std::move(token).error().Wrap("service account");
  server.token = *std::move(token);
  server.reread = [env, read] { return InCluster(env, read); };
  return server;
}

TokenSource::TokenSource(const ApiServer& server, ReadFile read, const Clock& clock)
    : file_(server.token_file), read_(std::move(read)), clock_(clock), token_(server.token) {}

std::string TokenSource::Current() {
  const std::scoped_lock lock(mu_);
  if (!read_at_ || clock_.Steady() - *read_at_ >= kReread) Reread();
  return token_;
}

bool TokenSource::Refused(const std::string& used) {
  const std::scoped_lock lock(mu_);
  if (token_ == used) Reread();
  return token_ != used;
}

void TokenSource::Reread() {
  if (file_.empty()) return;
  if (auto fresh = ReadToken(file_, read_)) {
    token_ = *std::move(fresh);
    read_at_ = clock_.Steady();
  }
}

}  // namespace imagesweep::kube
