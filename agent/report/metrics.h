#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/clock.h"
#include "agent/base/process_usage.h"
#include "agent/model/report.h"

namespace imagesweep {

// What set a run off.
enum class Trigger { kInterval, kPolicyChange, kManual };
std::string_view ToString(Trigger trigger);  // "interval"

// The agent's Prometheus series; every one is there at 0 from the start, label values are bounded.
// Any thread.
class Metrics {
 public:
  // What process_* tells of; an error leaves those series out.
  using ReadProcess = std::function<Result<ProcessUsage>()>;

  Metrics(
      const std::string& version, const std::string& revision, const Clock& clock,
      ReadProcess process = [] { return ReadProcessUsage(); });
  ~Metrics();

  // `predicted_bytes`: what the removed images were thought to free; when it is not known, the sum
  // of their sizes, which is at least as much.
  void RecordRun(const Report& report, Trigger trigger, double seconds,
                 std::optional<std::uint64_t> predicted_bytes = {});
  // `origin`: chart | override | existing | configmap | file.
  void PolicyLoaded(const PolicySource& source, const std::string& origin, bool dry_run,
                    bool suspended, SystemTime at);
  void PolicyRejected();
  // It is read again, and is the one in force.
  void PolicyConfirmed();
  void SetPolicyUnread(Millis unread_for);
  void SetRuntimeUp(bool up);
  void CountKubeRequest(std::string_view verb, std::string_view resource, std::string_view code);
  void CountRuntimeCall(std::string_view method, std::string_view code, double seconds);

  // The text exposition format, version 0.0.4.
  std::string Render() const;

 private:
  struct Series;
  std::unique_ptr<Series> series_;
  const Clock& clock_;
  const ReadProcess process_;
};

}  // namespace imagesweep
