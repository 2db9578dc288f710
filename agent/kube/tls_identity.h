#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "agent/base/guarded.h"
#include "agent/kube/identity.h"

namespace imagesweep::kube {

// Who we believe and who we are, for every TLS connection to one API server.  CA and client
// certificate are read again for each new connection; what cannot be read or used, or belongs to
// another server, leaves the ones before in force.  Any thread.
class TlsIdentity {
 public:
  // kInvalid when the CA, the client certificate or its key cannot be used, so that a bad file is
  // an error with a name and not a failed handshake.  `host`: name or address that the server's
  // certificate must carry.
  static Result<std::shared_ptr<TlsIdentity>> Create(const ApiServer& server, std::string host);

  // Sets up the context of a new connection: the cluster's CA and no other, the host, the client certificate, TLS 1.2 and
  // up. Must outlive the context.
  void Apply(SSL_CTX* context);

  // How many contexts were set up: one for each connection that was begun.
  std::size_t contexts() const { return contexts_.load(); }

  // Why the last server certificate was refused, in OpenSSL's words ("certificate is not yet
  // valid"), or what the server sent as an alert; empty when neither happened since the last call.
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
