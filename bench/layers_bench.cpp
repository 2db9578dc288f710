#include <benchmark/benchmark.h>
#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>

#include "agent/imagestore/graph/incremental_reclaim.h"

// The time and the memory of the layer graph of a large node. Every allocation is counted.

namespace {

std::size_t live_bytes = 0;
std::size_t peak_bytes = 0;

}  // namespace

// Not inlined, because the compiler would then see malloc behind new, and free behind delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  void* const memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  live_bytes += malloc_usable_size(memory);
  if (live_bytes > peak_bytes) peak_bytes = live_bytes;
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  live_bytes -= malloc_usable_size(memory);
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  operator delete(memory);
}

namespace imagesweep::layers {
namespace {

std::string Hex(std::uint64_t number, std::uint64_t salt) {
  std::string text = "sha256:";
  for (std::uint64_t word = 1; word <= 4; ++word) {
    std::uint64_t mixed =
        (number * 4 + word) * 0x9E3779B97F4A7C15ULL ^ salt * 0xC2B2AE3D27D4EB4FULL;
    mixed = (mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9ULL;
    char hex[17];
    std::snprintf(hex, sizeof(hex), "%016llx", static_cast<unsigned long long>(mixed));
    text += hex;
  }
  return text;
}

struct Input {
  std::vector<Image> images;
  MetadataSnapshot world{"k8s.io", SystemTime(), {}, {FileSystem::kExt4, 4096}};
};

// `count` images of `layers` layers each. The lowest `shared` layers are those of one of fifty
// bases. A tenth of the images is in use.
Input Node(std::uint64_t count, std::uint64_t layers, std::uint64_t shared) {
  Input input;
  std::vector<bool> base_read(50, false);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t base = i % 50;
    const std::string config = Hex(i, 1), manifest = Hex(i, 2);
    std::vector<std::string> keys{"containerd.io/gc.ref.content.config"}, values{config};
    std::string chain;
    for (std::uint64_t l = 0; l < layers; ++l) {
      const std::uint64_t number = l < shared ? base * 1000 + l : (i + 1) * 100'000 + l;
      const std::string blob = Hex(number, 3), next = Hex(number, 4);
      keys.push_back("containerd.io/gc.ref.content.l." + std::to_string(l));
      values.push_back(blob);
      if (l >= shared || !base_read[base]) {
        input.world.AddBlob("k8s.io", blob, 1'000'000 + number % 1000);
        input.world.AddSnapshot("k8s.io", "overlayfs", next, chain, SnapshotKind::kCommitted,
                                Usage{3'000'000 + number % 1000, 40});
      }
      chain = next;
    }
    base_read[base] = true;
    std::vector<Label> labels;
    for (std::size_t l = 0; l < keys.size(); ++l) labels.push_back({keys[l], values[l]});
    input.world.AddBlob("k8s.io", manifest, 6000, {}, labels);
    const Label unpacked[] = {{"containerd.io/gc.ref.snapshot.overlayfs", chain}};
    input.world.AddBlob("k8s.io", config, 9000, {}, unpacked);
    const std::string name =
        "registry.example.com/team/service-" + std::to_string(i) + ":v" + std::to_string(i);
    input.world.AddImage("k8s.io", name, manifest);
    input.world.AddImage("k8s.io", std::string(name).append("@").append(manifest), manifest);
    input.world.AddImage("k8s.io", config, manifest);
    if (i % 10 == 0) {
      const std::string id = "container-" + std::to_string(i);
      input.world.AddSnapshot("k8s.io", "overlayfs", id, chain, SnapshotKind::kActive, {});
      input.world.AddContainer("k8s.io", id, name, "overlayfs", id);
    }
    Image image;
    image.id = ImageId(config);
    input.images.push_back(std::move(image));
  }
  input.world.Trim();
  return input;
}

Input NodeOf(const benchmark::State& state) {
  return Node(static_cast<std::uint64_t>(state.range(0)),
              static_cast<std::uint64_t>(state.range(1)),
              static_cast<std::uint64_t>(state.range(2)));
}

double MiB(std::size_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

// Reads and interns labels, as an adapter does while the streams arrive.
void BM_ReadWorld(benchmark::State& state) {
  for (auto _ : state) {
    const std::size_t before = live_bytes;
    const Input input = NodeOf(state);
    state.counters["objects"] = static_cast<double>(
        input.world.blobs().size() + input.world.snapshots().size() + input.world.images().size());
    state.counters["world_MiB"] = MiB(live_bytes - before);
  }
}

// Builds a complete graph from a MetadataSnapshot, and measures all of its memory, including the
// MetadataSnapshot's.
void BM_BuildAndMark(benchmark::State& state) {
  const std::size_t before = live_bytes;
  const Input input = NodeOf(state);
  const std::size_t world = live_bytes;
  for (auto _ : state) {
    MetadataSnapshot copy = input.world;
    peak_bytes = live_bytes;
    const std::clock_t start = std::clock();  // of this process only
    const LayerGraph graph(std::move(copy), input.images);
    benchmark::DoNotOptimize(graph.FreedByAll());
    state.SetIterationTime(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
    state.counters["live_MiB"] = MiB(live_bytes - (world - before));
    state.counters["peak_MiB"] = MiB(peak_bytes - (world - before));
  }
}

void BM_FreedBy100(benchmark::State& state) {
  const Input input = NodeOf(state);
  const LayerGraph graph(input.world, input.images);
  std::vector<ImagePos> set;
  for (std::size_t at = 100; at < 200; ++at) set.emplace_back(at);
  for (auto _ : state) benchmark::DoNotOptimize(graph.FreedBy(set));
}

// One round of the choice: the gain of every image.
void BM_GainOfEveryImage(benchmark::State& state) {
  const Input input = NodeOf(state);
  const LayerGraph graph(input.world, input.images);
  IncrementalReclaim marginal(graph);
  for (auto _ : state)
    for (const ImagePos at : Positions(graph)) benchmark::DoNotOptimize(marginal.Gain(at));
}

void Sizes(benchmark::internal::Benchmark* bench) {
  bench->Args({500, 12, 6})->Args({5000, 30, 20})->Args({5000, 30, 0});
  bench->ArgNames({"images", "layers", "shared"})->Unit(benchmark::kMillisecond);
}

BENCHMARK(BM_ReadWorld)->Apply(Sizes);
BENCHMARK(BM_BuildAndMark)->Apply(Sizes)->UseManualTime();
BENCHMARK(BM_FreedBy100)->Apply(Sizes);
BENCHMARK(BM_GainOfEveryImage)->Apply(Sizes);

}  // namespace
}  // namespace imagesweep::layers
