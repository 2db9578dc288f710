#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>

#include "agent/gc/plan/planner.h"

namespace imagesweep {
namespace {

std::string Hex(std::int64_t number, const char* salt) {
  std::string hex = std::to_string(number) + salt;
  std::string out;
  for (const char c : hex) {
    out += "0123456789abcdef"[(static_cast<unsigned char>(c) >> 4) & 0xF];
    out += "0123456789abcdef"[static_cast<unsigned char>(c) & 0xF];
  }
  out.resize(64, '0');
  return "sha256:" + out;
}

// `images` images with two tags and a digest, and `references` references in every form that a
// runtime or a pod may use. A third of the images is in use.
Observation Node(std::int64_t images, std::int64_t references) {
  Observation seen;
  for (std::int64_t i = 0; i < images; ++i) {
    Image image;
    image.id = ImageId(Hex(i, "-id"));
    const std::string repository =
        "registry.example.com/team-" + std::to_string(i % 50) + "/service-" + std::to_string(i / 4);
    image.tags.push_back(ImageName::Parse(repository + ":v" + std::to_string(i)));
    image.tags.push_back(ImageName::Parse(repository + ":build-" + std::to_string(i)));
    image.digests.push_back(ImageName::Parse(repository + "@" + Hex(i, "-digest")));
    image.origin = {OriginKind::kPulled, "pulled", image.digests[0].text()};
    image.size_bytes = static_cast<std::uint64_t>(i % 977) << 20;
    seen.images.push_back(std::move(image));
    ImageAge age;
    age.unused_for = std::chrono::minutes(i % 40'000);
    seen.ages.push_back(age);
  }
  for (std::int64_t r = 0; r < references; ++r) {
    const Image& image = seen.images[ImagePos(static_cast<std::size_t>(r * 3 % images))];
    const std::string forms[] = {image.tags[0].text(), image.id.text(), image.digests[0].text()};
    seen.references.push_back(
        {forms[r % 3], {}, {ImageUserKind::kPod, "shop", "pod-" + std::to_string(r), "main"}});
  }
  seen.disk = DiskUsage{"/", 1ULL << 40, 1ULL << 37, 1, 1};
  return seen;
}

// Rules as large clusters write them: by team, by path in any registry, by tag, and the last N.
std::vector<Rule> Rules(std::int64_t count) {
  std::vector<Rule> rules;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    Rule rule;
    rule.name = "rule-" + number;
    const std::string globs[] = {"registry.example.com/team-" + number + "/**",
                                 "*/*/service-" + number, "**/tools-" + number + "/*"};
    rule.selector.images.push_back(*ImageGlob::Parse(globs[i % 3]));
    rule.selector.tags.push_back(i % 2 == 0 ? "v*" : "build-*");
    if (i % 4 == 0) rule.keep_last = 3;
    rules.push_back(std::move(rule));
  }
  return rules;
}

void BM_MakePlan(benchmark::State& state) {
  const Observation seen = Node(state.range(0), state.range(1));
  Policy policy = Policy::Default();
  policy.rules = Rules(state.range(2));
  for (auto _ : state) benchmark::DoNotOptimize(MakePlan(policy, seen));
}
BENCHMARK(BM_MakePlan)
    ->Args({5000, 10'000, 0})
    ->Args({1250, 2500, 200})
    ->Args({2500, 5000, 200})
    ->Args({5000, 10'000, 200})
    ->Args({10'000, 20'000, 200})
    ->Unit(benchmark::kMillisecond);

// `count` workloads with three revisions each, sorted as sources return them. The cluster has more
// than the node: half of the services have images here, and several workloads name each image.
std::vector<WorkloadReference> Workloads(const Observation& seen, std::int64_t count) {
  constexpr const char* kKinds[] = {"Deployment", "StatefulSet", "CronJob"};
  std::vector<WorkloadReference> workloads;
  for (std::int64_t w = 0; w < count; ++w) {
    const std::string service = std::to_string(w % 2500);
    for (int back = 0; back < 3; ++back) {
      WorkloadReference reference;
      if (w % 2 == 0) {
        const ImagePos image(static_cast<std::size_t>((w * 3 + back) % std::ssize(seen.images)));
        reference.text = seen.images[image].tags[0].text();
      } else {
        reference.text =
            "registry.example.com/elsewhere/service-" + service + ":v" + std::to_string(9 - back);
      }
      reference.kind = kKinds[w % 3];
      reference.workload_namespace = "team-" + std::to_string(w % 50);
      reference.name = "workload-of-a-team-" + std::to_string(w);
      reference.container = "main";
      reference.revision = 9 - back;
      reference.revisions_back = back;
      workloads.push_back(std::move(reference));
    }
  }
  std::ranges::sort(workloads);
  return workloads;
}

// The same node without (0) and with the workloads of the cluster.
void BM_MakePlanWithWorkloads(benchmark::State& state) {
  Observation seen = Node(5000, 1500);
  seen.workloads = Workloads(seen, state.range(0));
  Policy policy = Policy::Default();
  policy.keep.workloads.enabled = true;
  for (auto _ : state) benchmark::DoNotOptimize(MakePlan(policy, seen));
  const Plan plan = MakePlan(policy, seen);
  state.counters["wanted"] =
      static_cast<double>(std::ranges::count(plan.decisions, Code::kWorkload, &Decision::code));
}
BENCHMARK(BM_MakePlanWithWorkloads)->Arg(0)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace imagesweep
