#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/kube/client/http_transport.h"
#include "agent/kube/client/identity.h"

namespace imagesweep::kube {

// HTTP/1.1 over TLS to one API server, which is verified against its own CA only. kInvalid if the
// certificate, the key, or the CA cannot be read.
Result<std::unique_ptr<HttpTransport>> ConnectOverTls(const ApiServer& server, TokenSource& token);

}  // namespace imagesweep::kube
