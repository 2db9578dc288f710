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

// The trigger of a run.
enum class Trigger { kInterval, kPolicyChange, kManual };
std::string_view ToString(Trigger trigger);  // "interval"

// The Prometheus series of the agent.  Every series exists from the start with value 0, and label
// values are bounded.  Any thread.
class Metrics {
 public:
  // The source of the process_* series; an error leaves them out.
  using ReadProcess = std::function<Result<ProcessUsage>()>;

  Metrics(
      const std::string& version, const std::string& revision, const Clock& clock,
      ReadProcess process = [] { return ReadProcessUsage(); });
  ~Metrics();

  // `predicted_bytes`: the predicted space that the removed images free.  If not known, the sum of
  // their sizes, which is an upper bound.
  void RecordRun(const Report& report, Trigger trigger, double seconds,
                 std::optional<std::uint64_t> predicted_bytes = {});
  // `origin`: chart | override | existing | configmap | file.
  void PolicyLoaded(const PolicySource& source, const std::string& origin, bool dry_run,
                    bool suspended, SystemTime at);
  void PolicyRejected();
  // The policy is readable again, and it is in force.
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
