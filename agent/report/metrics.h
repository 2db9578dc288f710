#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "agent/base/clock.h"
#include "agent/model/report.h"

namespace imagesweep {

// What set a run off.
enum class Trigger { kInterval, kPolicyChange, kManual };
std::string_view ToString(Trigger trigger);  // "interval"

// The agent's Prometheus series; every one is there at 0 from the start, label values are bounded.
// Any thread.
class Metrics {
 public:
  Metrics(const std::string& version, const std::string& revision, const Clock& clock);
  ~Metrics();

  void RecordRun(const Report& report, Trigger trigger, double seconds);
  // `origin`: chart | override | existing | configmap | file.
  void PolicyLoaded(const PolicySource& source, const std::string& origin, bool dry_run,
                    bool suspended, SystemTime at);
  void PolicyRejected();
  void SetRuntimeUp(bool up);
  void CountKubeRequest(std::string_view verb, std::string_view resource, std::string_view code);
  void CountRuntimeCall(std::string_view method, std::string_view code, double seconds);

  // The text exposition format, version 0.0.4.
  std::string Render() const;

 private:
  struct Series;
  std::unique_ptr<Series> series_;
  const Clock& clock_;
};

}  // namespace imagesweep
