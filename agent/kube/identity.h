#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "agent/base/clock.h"
#include "agent/base/result.h"

namespace imagesweep::kube {

// Where the API server is and who we are there.  Certificates and keys are PEM texts.
struct ApiServer {
  std::string url;  // https://HOST:PORT, perhaps with a path
  std::string ca;
  std::string client_certificate;  // empty: none
  std::string client_key;
  std::string token;       // bearer token, of token_file when there is one; empty: none
  std::string token_file;  // re-read: projected tokens live about an hour
  // All of it once more, from where it came; empty: it came from nowhere.  Any thread.
  std::function<Result<ApiServer>()> reread = {};
};

// Reads one small file; kNotFound or kDenied when it cannot.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;
using ReadEnv = std::function<std::string(const char* name)>;

Result<std::string> ReadSmallFile(const std::string& path);
std::string ReadEnvironment(const char* name);

// The pod's service account: KUBERNETES_SERVICE_HOST and _PORT, and the files mounted with it.  A
// missing CA or token is an error; there is no second best.
Result<ApiServer> InCluster(const ReadEnv& env, const ReadFile& read);

// A token as its file holds it, without the newline; kInvalid when there is none in it.
Result<std::string> ReadToken(const std::string& path, const ReadFile& read);

// The current context of a kubeconfig.  Certificates inline or from files (relative to it), token
// or tokenFile.  What it cannot do (exec, auth-provider, basic authentication, impersonation, a
// proxy, insecure-skip-tls-verify, plain http) is kInvalid and says so.
Result<ApiServer> FromKubeconfig(const std::string& path, const ReadFile& read);

// The bearer token of the moment.  A file is read again every 50 s and after a 401, as client-go
// does (transport/token_source.go); when it cannot be read the old token is kept.  Any thread.
class TokenSource {
 public:
  TokenSource(const ApiServer& server, ReadFile read, const Clock& clock);
  std::string Current();
  // The server refused `used`.  Reads the file again; true when there is another token now.
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
