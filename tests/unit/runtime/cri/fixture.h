#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stop_token>
#include <string>

#include "agent/runtime/cri/connection.h"
#include "agent/runtime/cri/runtime.h"
#include "tests/support/fake_cri.h"
#include "tests/support/images.h"

namespace imagesweep::cri {

// A client of a fake runtime. `limit` is the deadline of every read.
struct Client {
  explicit Client(const FakeCri& fake, Millis limit = std::chrono::seconds(30),
                  CallObserver observer = {})
      : connection(std::make_shared<Connection>(
            Endpoint{fake.socket_path()},
            ConnectionOptions{
                .read_timeout = limit, .remove_timeout = limit, .observer = std::move(observer)})),
        runtime(connection) {}

  std::shared_ptr<Connection> connection;
  Runtime runtime;
  std::stop_token never;
};

// The IDs of a list, for matchers.
inline std::vector<std::string> Ids(const std::vector<Image>& images) {
  std::vector<std::string> ids;
  ids.reserve(images.size());
  for (const Image& image : images) ids.push_back(image.id.text());
  return ids;
}

}  // namespace imagesweep::cri
