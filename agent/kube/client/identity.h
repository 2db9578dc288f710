#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "agent/base/clock.h"
#include "agent/base/result.h"

namespace imagesweep::kube {

// The address of the API server and the credentials for it. Certificates and keys are PEM texts.
struct ApiServer {
  std::string url;  // https://HOST:PORT, with an optional path
  std::string ca;
  std::string client_certificate;  // empty: none
  std::string client_key;
  std::string token;       // bearer token, from token_file if that is set; empty: none
  std::string token_file;  // re-read: projected tokens live about an hour
  // Reads everything again from its origin. Empty: there is no origin. Thread-safe.
  std::function<Result<ApiServer>()> reread = {};
};

// Reads one small file. kNotFound or kDenied if it cannot be read.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;
using ReadEnv = std::function<std::string(const char* name)>;

Result<std::string> ReadSmallFile(const std::string& path);
std::string ReadEnvironment(const char* name);

// The service account of the pod: KUBERNETES_SERVICE_HOST and _PORT, and the mounted files. A
// missing CA or token is an error; there is no fallback.
Result<ApiServer> InCluster(const ReadEnv& env, const ReadFile& read);

// The token in the file, without the newline. kInvalid if the file does not contain a token.
Result<std::string> ReadToken(const std::string& path, const ReadFile& read);

// The current context of a kubeconfig. Certificates are inline or in files (relative to the
// kubeconfig), with token or tokenFile. Unsupported settings (exec, auth-provider, basic
// authentication, impersonation, a proxy, insecure-skip-tls-verify, plain http) are kInvalid, and
// the message names them.
Result<ApiServer> FromKubeconfig(const std::string& path, const ReadFile& read);

// The current bearer token. A file is read again every 50 s and after a 401, as client-go does
// (transport/token_source.go). If it cannot be read, the old token is kept. Thread-safe.
class TokenSource {
 public:
  TokenSource(const ApiServer& server, ReadFile read, const Clock& clock);
  std::string Current();
  // Call this if the server refused `used`. Reads the file again. Returns true if the token has
  // changed.
  bool Refused(const std::string& used);

 private:
  void Reread();

  const std::string file_;
  const ReadFile read_;
  const Clock& clock_;
  std::mutex mu_;
  std::string token_;
  std::optional<SteadyTime> read_at_;  // when the file last gave a token
};

}  // namespace imagesweep::kube
