#pragma once

#include <gmock/gmock.h>

#include "agent/kube/index/workload_index_store.h"
#include "agent/kube/index/workload_index_writer.h"
#include "tests/support/fake_objects.h"
#include "tests/support/workloads.h"

namespace imagesweep::kube {

// An index on a fake API server, and an agent that watches it.
struct WorkloadIndexTest : testing::Test {
  static constexpr std::size_t kShardBytes = 1000;
  const IndexName index{"sweep", "index"};
  const std::string path = ConfigMapsPath(index);
  FakeClock clock;
  FakeObjects server;
  FakeObjectHttp http{server};
  WorkloadIndexWriter writer{http, index, "leader-1", {}, kShardBytes};
  WorkloadIndexStore store{index, clock};
  std::size_t seen = 0;  // events that the agent has received

  static bool Yes() { return true; }

  static std::vector<WorkloadReference> Set(int references, std::size_t incompressible = 0) {
    std::vector<WorkloadReference> set;
    std::mt19937_64 random(static_cast<std::uint64_t>(references));
    for (int i = 0; i < references; ++i) {
      std::string text = "app:" + std::to_string(100'000 + i);
      for (std::size_t n = 0; n < incompressible; ++n) text += static_cast<char>(random() % 256);
      set.push_back({text, "Deployment", "shop", "api", "main", 1, 0, false});
    }
    return set;
  }
  // Three shards of text that does not compress.
  static std::vector<WorkloadReference> BigSet(int references = 20) { return Set(references, 100); }

  Result<WorkloadIndexWriter::Published> Publish(const std::vector<WorkloadReference>& set) {
    return writer.Publish(set, clock.Now(), Yes, {});
  }
  Status Beat() { return writer.Confirm(clock.Now(), Yes, {}); }

  // The agent receives everything until now, by events or by a list.
  void Hear() {
    for (; seen < server.events.size(); ++seen) {
      const auto& event = server.events[seen];
      const auto type = event.type == "DELETED" ? EventType::kDeleted : EventType::kModified;
      const auto status = store.Apply(type, event.object);
      ASSERT_TRUE(status);
    }
  }
  void List() {
    seen = server.events.size();
    ASSERT_TRUE(store.Replace(server.List(path)));
  }
  // The number of references that the agent sees, or the reason for its refusal.
  std::string Look() {
    const auto read = store.Read();
    return read ? std::to_string(read->references.size()) + " from " + read->origin
                : read.error().what;
  }
  Json& At(const std::string& name) { return server.objects.at(path + "/" + name); }
};

}  // namespace imagesweep::kube
