#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "agent/base/guarded.h"
#include "agent/kube/client/identity.h"

namespace imagesweep::kube {

// The trusted CA and the client certificate for every TLS connection to one API server. They are
// read again for each new connection. If the new ones cannot be read or used, or belong to another
// server, the previous ones stay in use. Thread-safe.
class TlsIdentity {
 public:
  // kInvalid if the CA, the client certificate, or its key cannot be used, so that a bad file
  // causes a clear error instead of a failed handshake. `host` is the name or address that the
  // certificate of the server must have.
  static Result<std::shared_ptr<TlsIdentity>> Create(const ApiServer& server, std::string host);

  // Configures the context of a new connection: only the CA of the cluster, the host, the client
  // certificate, and TLS 1.2 or later. This object must outlive the context.
  void Apply(SSL_CTX* context);

  // The number of contexts configured: one for each connection that was started.
  std::size_t contexts() const { return contexts_.load(); }

  // Why the last server certificate was refused, in the words of OpenSSL ("certificate is not yet
  // valid"), or the alert that the server sent. Empty if neither happened since the last call.
  std::string TakeProblem();

 private:
  TlsIdentity(const ApiServer& server, std::string host);
  static int Verify(X509_STORE_CTX* chain, void* self);
  static void OnInfo(const SSL* ssl, int where, int code);
  void Note(const std::string& problem);
  ApiServer Newest();

  Guarded<ApiServer> server_;
  const std::string host_;
  std::atomic<std::size_t> contexts_{0};
  Guarded<std::string> problem_;
};

}  // namespace imagesweep::kube
