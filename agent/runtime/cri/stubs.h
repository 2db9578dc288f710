#pragma once

#include <grpcpp/grpcpp.h>
#include <runtime/v1/api.grpc.pb.h>

#include <memory>

#include "agent/runtime/cri/connection.h"

namespace imagesweep::cri {

namespace v1 = ::runtime::v1;

struct Connection::Stubs {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::RuntimeService::Stub> runtime;
  std::unique_ptr<v1::ImageService::Stub> images;
};

}  // namespace imagesweep::cri
