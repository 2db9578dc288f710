#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/state/history.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/state/age_store_files.h"

namespace imagesweep {

inline RunEntry RunOf(std::string_view id, std::string_view result = "success") {
  RunEntry entry;
  entry.run = id;
  entry.started = SystemTime(std::chrono::seconds(1'700'000'000));
  entry.finished = entry.started + std::chrono::milliseconds(1234);
  entry.result = result;
  entry.headline = "run " + std::string(id);
  return entry;
}

inline RemovalEntry Removal(std::string_view run, std::string_view image) {
  RemovalEntry entry;
  entry.run = run;
  entry.at = SystemTime(std::chrono::seconds(1'700'000'001));
  entry.id = Id(image);
  entry.names = {"docker.io/shop/" + std::string(image) + ":1", "docker.io/shop/twin:1"};
  entry.digests = {"docker.io/shop/" + std::string(image) + "@" + Id("digest")};
  entry.size_bytes = 71'300'412;
  entry.code = "Superseded";
  entry.reason = "Replaced by docker.io/shop/" + std::string(image) + ":2";
  entry.origin = {OriginKind::kPulled, "a label of a pull", entry.digests[0]};
  return entry;
}

inline RemovalEntry Gone(RemovalEntry entry) {
  entry.done = true;
  return entry;
}

// The value of a result. Fails the test if it is an error.
template <typename T>
T Value(Result<T> result) {
  if (result) return *std::move(result);
  ADD_FAILURE() << result.error().what;
  return T{};
}

inline std::vector<std::string> RunIds(History& history) {
  std::vector<std::string> ids;
  for (auto& entry : Value(history.Runs())) ids.push_back(std::move(entry.run));
  return ids;
}

}  // namespace imagesweep
