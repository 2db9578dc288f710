#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "agent/gc/plan/planner.h"
#include "agent/telemetry/metrics.h"

namespace imagesweep {
namespace {

Report ReportOf(std::int64_t images) {
  Report report;
  Observation& seen = report.observation;
  for (std::int64_t at = 0; at < images; ++at) {
    Image image;
    const std::string number = std::to_string(at);
    image.id = ImageId("sha256:" + std::string(64 - number.size(), '0') + number);
    image.tags.push_back(ImageName::Parse("registry.example.com/service-" + number + ":v1"));
    image.size_bytes = static_cast<std::uint64_t>(at % 977) << 20;
    if (at % 3 == 0)
      seen.references.push_back(
          {image.tags[0].text(), {}, {ImageUserKind::kPod, "shop", "pod-" + number, "main"}});
    seen.images.push_back(std::move(image));
    ImageAge age;
    age.unused_for = std::chrono::minutes(at % 40'000);
    seen.ages.push_back(age);
  }
  seen.disk = DiskUsage{"/", 1ULL << 40, 1ULL << 37, 1, 1};
  report.plan = MakePlan(Policy::Default(), seen);
  for (const auto at : report.plan.removals)
    report.outcomes.push_back({at, OutcomeKind::kRemoved, {}});
  return report;
}

// The cost of a scrape on a node with N images, with and without the figures of the process.
void Scrape(benchmark::State& state, const Metrics::ReadProcess& process) {
  const RealClock clock;
  Metrics metrics("0.1.0", "0123456789ab", clock, process);
  metrics.RecordRun(ReportOf(state.range(0)), Trigger::kInterval, 1.5);
  std::vector<double> took;
  std::size_t bytes = 0;
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    bytes = metrics.Render().size();
    took.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
            .count());
  }
  std::ranges::sort(took);
  state.counters["p99_ms"] = took[took.size() * 99 / 100];
  state.counters["bytes"] = static_cast<double>(bytes);
}
void WholeScrape(benchmark::State& state) {
  Scrape(state, [] { return ReadProcessUsage(); });
}
BENCHMARK(WholeScrape)->Arg(30)->Arg(3000)->Unit(benchmark::kMillisecond);

void ScrapeWithoutProcess(benchmark::State& state) {
  Scrape(state, [] { return Error{ErrorKind::kUnavailable, "left out"}; });
}
BENCHMARK(ScrapeWithoutProcess)->Arg(3000)->Unit(benchmark::kMillisecond);

void RecordRun(benchmark::State& state) {
  const RealClock clock;
  Metrics metrics("0.1.0", "0123456789ab", clock);
  const Report report = ReportOf(state.range(0));
  for (auto _ : state) metrics.RecordRun(report, Trigger::kInterval, 1.5);
}
BENCHMARK(RecordRun)->Arg(3000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace imagesweep
