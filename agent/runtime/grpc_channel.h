#pragma once

#include <memory>
#include <string>

namespace grpc {
class Channel;
}

namespace imagesweep {

// A channel to the gRPC server on a unix socket. It connects at the first call and reconnects after
// a restart of the server (back-off of 100 ms to 3 s, as in the kubelet), so opening one never
// fails. A larger reply than `max_reply_bytes` is an error. Thread-safe.
std::shared_ptr<grpc::Channel> OpenUnixChannel(const std::string& path, int max_reply_bytes);

}  // namespace imagesweep
