#include "agent/runtime/cri/connection.h"

#include <string>
#include <utility>

#include "agent/runtime/cri/stubs.h"

namespace imagesweep::cri {
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

std::shared_ptr<grpc::Channel> OpenChannel(const Endpoint& endpoint,
                                           const ConnectionOptions& options) {
  grpc::ChannelArguments args;
  args.SetMaxReceiveMessageSize(options.max_reply_bytes);
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
  return grpc::CreateCustomChannel(Target(endpoint.path), grpc::InsecureChannelCredentials(), args);
}

}  // namespace

Connection::Connection(Endpoint endpoint, ConnectionOptions options)
    : endpoint_(std::move(endpoint)),
      options_(std::move(options)),
      stubs_(std::make_unique<Stubs>()) {
  stubs_->channel = OpenChannel(endpoint_, options_);
  stubs_->runtime = v1::RuntimeService::NewStub(stubs_->channel);
  stubs_->images = v1::ImageService::NewStub(stubs_->channel);
}

Connection::~Connection() = default;

const std::shared_ptr<grpc::Channel>& Connection::channel() const noexcept {
  return stubs_->channel;
}

}  // namespace imagesweep::cri
