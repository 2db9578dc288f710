#include "agent/runtime/grpc_channel.h"

#include <grpcpp/grpcpp.h>

#include <string_view>

namespace imagesweep {
namespace {

// gRPC parses a target as a URI, so "%", "?" and "#" in a path must be escaped.
std::string Target(const std::string& path) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string target = "unix://";
  for (const char c : path) {
    if (kPlain.find(c) != std::string_view::npos) {
      target += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    target += {'%', kHex[byte >> 4], kHex[byte & 0xF]};
  }
  return target;
}

}  // namespace

std::shared_ptr<grpc::Channel> OpenUnixChannel(const std::string& path, int max_reply_bytes) {
  grpc::ChannelArguments args;
  args.SetMaxReceiveMessageSize(max_reply_bytes);
  args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Servers in Go reject an authority that is a path.
  args.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  // gRPC must not retry: the caller decides what a failure means, and reads the state again first.
  args.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 3000);
  // Despite its name, this limits one attempt to connect (the kubelet's MinConnectTimeout).
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);
  // A pool of its own keeps the back-off apart from that of other connections to the same path.
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(Target(path), grpc::InsecureChannelCredentials(), args);
}

}  // namespace imagesweep
