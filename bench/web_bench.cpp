#include <benchmark/benchmark.h>

#include <memory>

#include "agent/gc/plan/planner.h"
#include "agent/report/documents/json.h"
#include "agent/server/web/status_page.h"

namespace imagesweep {
namespace {

std::string Hex(std::int64_t number) {
  std::string hex = std::to_string(number);
  hex.insert(0, 12 - hex.size(), '0');
  hex.resize(64, 'a');
  return "sha256:" + hex;
}

// A node with N images. A pod uses a third of them, and the others are idle or candidates.
web::StatusView View(std::int64_t images) {
  auto report = std::make_shared<Report>();
  Observation& seen = report->observation;
  for (std::int64_t i = 0; i < images; ++i) {
    const std::string number = std::to_string(i);
    const std::string repository =
        "registry.example.com/team-" + std::to_string(i % 50) + "/service-" + number;
    Image image;
    image.id = ImageId(Hex(i));
    image.tags.push_back(ImageName::Parse(repository + ":v1.2." + number));
    image.digests.push_back(ImageName::Parse(repository + "@" + Hex(i)));
    image.origin = {OriginKind::kPulled, "pulled", image.digests[0].text()};
    image.size_bytes = static_cast<std::uint64_t>(i % 977) << 20;
    if (i % 3 == 0)
      seen.references.push_back({image.tags[0].text(),
                                 {},
                                 {ImageUserKind::kPod, "team-" + std::to_string(i % 50),
                                  "service-" + number + "-7d9fbc6f9-x2x", "main"}});
    seen.images.push_back(std::move(image));
    ImageAge age;
    age.unused_for = std::chrono::minutes(i % 40'000);
    seen.ages.push_back(age);
  }
  seen.disk = DiskUsage{"/", 1ULL << 40, 1ULL << 37, 1, 1};
  report->effective_policy = Policy::Default();
  report->plan = MakePlan(report->effective_policy, seen);
  report->node = "worker-1";
  web::StatusView view;
  view.report = report;
  return view;
}

void StatusPageOf(benchmark::State& state) {
  const web::StatusView view = View(state.range(0));
  std::size_t bytes = 0;
  for (auto _ : state) bytes = web::StatusPage(view, "").size();
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(StatusPageOf)->Arg(300)->Arg(3000)->Unit(benchmark::kMillisecond);

void SearchedStatusPage(benchmark::State& state) {
  const web::StatusView view = View(state.range(0));
  for (auto _ : state)
    benchmark::DoNotOptimize(web::StatusPage(view, "q=team-7+idle&sort=size&order=desc"));
}
BENCHMARK(SearchedStatusPage)->Arg(3000)->Unit(benchmark::kMillisecond);

void ImagesDocument(benchmark::State& state) {
  const web::StatusView view = View(state.range(0));
  std::size_t bytes = 0;
  for (auto _ : state) bytes = ImagesJson(*view.report).size();
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(ImagesDocument)->Arg(3000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace imagesweep
