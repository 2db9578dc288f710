#include "agent/runtime/cri/connection.h"

#include <utility>

#include "agent/runtime/cri/stubs.h"
#include "agent/runtime/grpc_channel.h"

namespace imagesweep::cri {

Connection::Connection(Endpoint endpoint, ConnectionOptions options)
    : endpoint_(std::move(endpoint)),
      options_(std::move(options)),
      stubs_(std::make_unique<Stubs>()) {
  stubs_->channel = OpenUnixChannel(endpoint_.path, options_.max_reply_bytes);
  stubs_->runtime = v1::RuntimeService::NewStub(stubs_->channel);
  stubs_->images = v1::ImageService::NewStub(stubs_->channel);
}

Connection::~Connection() = default;

const std::shared_ptr<grpc::Channel>& Connection::channel() const noexcept {
  return stubs_->channel;
}

}  // namespace imagesweep::cri
