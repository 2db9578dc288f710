#include "agent/kube/workloads/workload_source.h"

#include <algorithm>
#include <iterator>
#include <random>
#include <utility>

#include "agent/base/duration.h"
#include "agent/kube/workloads/workload_set.h"

namespace imagesweep::kube {
namespace {

// If a server sends a page in one chunk, the page is held in memory. A ReplicaSet has 5 to 10 KiB.
constexpr int kPage = 100;
constexpr std::size_t kMaxPages = 500;  // 50,000 objects of one kind
// A list of the whole cluster is expensive. Beside the watch, it only finds lost events.
constexpr Millis kRelistAfter = std::chrono::minutes(30);
// Batches that follow each other immediately may share a list.
constexpr Millis kListedAnew = std::chrono::seconds(2);

Error Explain(Error why) {
  if (why.kind == ErrorKind::kDenied) why.what += "; the chart's workloads.mode=direct grants it";
  return why;
}

// A temporary failure: the server did not answer. Any other error was an answer.
bool MayPass(const Error& why) {
  return why.kind == ErrorKind::kUnavailable || why.kind == ErrorKind::kDeadline;
}

// The objects of one list.
class ObjectsOf final : public ItemSink {
 public:
  explicit ObjectsOf(WorkloadKind kind) : kind_(kind) {}
  void Start() override { objects.clear(); }
  Status Take(const Json& item) override {
    auto object = ParseWorkload(kind_, item);
    if (!object) return std::move(object).error();
    objects.push_back(std::make_shared<const WorkloadObject>(*std::move(object)));
    return Done{};
  }
  WorkloadObjects objects;

 private:
  const WorkloadKind kind_;
};

}  // namespace

WorkloadStore::WorkloadStore(WorkloadKind kind, const Clock& clock, std::function<void()> on_live)
    : resource_(ResourceOf(kind)), clock_(clock), on_live_(std::move(on_live)) {}

void WorkloadStore::Start() {
  staged_.clear();
}

Status WorkloadStore::Take(const Json& item) {
  auto object = ParseWorkload(resource_.kind, item);
  if (!object) return std::move(object).error();
  // Most objects are the same as in the previous list. Sharing them avoids twice the memory.
  auto one = state_.With([&](const State& state) -> std::shared_ptr<const WorkloadObject> {
    const auto at = state.objects.find(object->uid);
    return at != state.objects.end() && *at->second == *object ? at->second : nullptr;
  });
  if (!one) one = std::make_shared<const WorkloadObject>(*std::move(object));
  staged_[one->uid] = std::move(one);
  return Done{};
}

Status WorkloadStore::Replace(const ObjectList& list) {
  if (!list.items.empty()) Start();
  for (const Json& item : list.items)
    if (auto taken = Take(item); !taken) return taken;
  ByUid objects = std::exchange(staged_, {});
  const std::string newest = state_.With([](const State& state) { return state.newest; });
  if (auto order = rewind_.Check(list.resource_version, newest, clock_.Steady()); !order)
    return order;
  state_.With([&](State& state) {
    state.objects.swap(objects);
    state.newest = list.resource_version;
    state.listed = true;
    state.lost.reset();
    state.confirmed_at = clock_.Steady();
    return 0;
  });
  if (on_live_) on_live_();
  return Done{};
}

Status WorkloadStore::Apply(EventType type, const Json& object) {
  auto parsed = ParseWorkload(resource_.kind, object);
  if (!parsed) return std::move(parsed).error();
  auto now = std::make_shared<const WorkloadObject>(*std::move(parsed));
  state_.With([&](State& state) {
    state.newest = now->resource_version;
    if (type == EventType::kDeleted) {
      state.objects.erase(now->uid);
    } else {
      state.objects[now->uid] = std::move(now);
    }
    return 0;
  });
  return Done{};
}

void WorkloadStore::OnSynced() {
  state_.With([&](State& state) {
    if (!state.listed) return 0;
    state.lost.reset();
    state.confirmed_at = clock_.Steady();
    return 0;
  });
  if (on_live_) on_live_();
}

void WorkloadStore::OnDisconnected(const Error& why) {
  state_.With([&](State& state) {
    state.lost = why;
    return 0;
  });
}

Result<SteadyTime> WorkloadStore::Collect(Millis most, WorkloadObjects& objects) const {
  return state_.With([&](const State& state) -> Result<SteadyTime> {
    if (state.lost && (!state.listed || !MayPass(*state.lost))) return Explain(Error(*state.lost));
    if (!state.listed)
      return Error{ErrorKind::kIncomplete, std::string(resource_.resource) + ": not listed yet"};
    const auto silent = std::chrono::duration_cast<Millis>(clock_.Steady() - state.confirmed_at);
    if (silent > most)
      return Error{ErrorKind::kIncomplete,
                   std::string(resource_.resource) + ": not known to be current for " +
                       HumanDuration(silent) +
                       (state.lost ? " (" + state.lost->what + ")" : std::string())};
    for (const auto& [uid, object] : state.objects) objects.push_back(object);
    return state.confirmed_at;
  });
}

struct WorkloadSource::Kind {
  Kind(WorkloadSource& source, const WorkloadResource& resource, std::uint64_t seed)
      : store(resource.kind, source.clock_, [&source] { source.Live(); }),
        lister(source.NewLister(resource)),
        reflector(source.transport_, lister, store, source.clock_,
                  {.idle = source.options_.idle, .relist_after = kRelistAfter, .seed = seed},
                  source.observer_) {}
  WorkloadStore store;
  const Lister lister;
  Reflector reflector;
};

WorkloadSource::WorkloadSource(HttpTransport& transport, const Clock& clock, Options options,
                               RequestObserver observer)
    : transport_(transport), clock_(clock), options_(options), observer_(std::move(observer)) {}

WorkloadSource::~WorkloadSource() = default;

Lister WorkloadSource::NewLister(const WorkloadResource& resource) const {
  return {transport_,
          resource.path,
          resource.resource,
          "",
          observer_,
          {.limit = kPage,
           .max_pages = kMaxPages,
           .only_pages = true,
           .keep = WorkloadKeep(resource.kind)}};
}

void WorkloadSource::Watch(std::function<void()> on_back) {
  on_back_ = std::move(on_back);
  watches_ = true;
  std::mt19937_64 random(options_.seed);
  for (const WorkloadResource& resource : kWorkloadResources)
    kinds_.emplace_back(*this, resource, random());
  for (Kind& kind : kinds_) {
    const Millis wait(
        std::uniform_int_distribution<Millis::rep>(0, options_.start_within.count())(random));
    threads_.emplace_back([this, &kind, wait](const std::stop_token& stop) {
      if (clock_.Sleep(wait, stop)) kind.reflector.Run(stop);
    });
  }
}

void WorkloadSource::Live() {
  if (!refused_) return;
  WorkloadObjects objects;
  if (CollectAll(objects) && refused_.exchange(false) && on_back_) on_back_();
}

Result<SteadyTime> WorkloadSource::CollectAll(WorkloadObjects& objects) const {
  SteadyTime as_of = clock_.Steady();
  for (const Kind& kind : kinds_) {
    auto current = kind.store.Collect(options_.max_stale, objects);
    if (!current) return current;
    as_of = std::min(as_of, *current);
  }
  return as_of;
}

Result<SteadyTime> WorkloadSource::ListAll(WorkloadObjects& objects,
                                           const std::stop_token& stop) const {
  const SteadyTime as_of = clock_.Steady();
  for (const WorkloadResource& resource : kWorkloadResources) {
    ObjectsOf of_kind(resource.kind);
    auto listed = NewLister(resource).List("", stop, &of_kind);
    if (auto* failure = std::get_if<ListFailure>(&listed))
      return Explain(std::move(failure->error));
    std::ranges::move(of_kind.objects, std::back_inserter(objects));
  }
  return as_of;
}

Result<WorkloadEvidence> WorkloadSource::Read(SteadyTime newer_than, const std::stop_token& stop) {
  const std::scoped_lock lock(mu_);
  if (last_ && last_->as_of > newer_than && clock_.Steady() - last_->as_of < kListedAnew)
    return *last_;
  last_.reset();
  WorkloadObjects objects;
  auto as_of = watches_ ? CollectAll(objects) : ListAll(objects, stop);
  if (!as_of && watches_) {
    refused_ = true;
    objects.clear();
    as_of = CollectAll(objects);  // nothing would report what arrived meanwhile
    if (as_of) refused_ = false;
  }
  if (!as_of) return as_of.error().Wrap("workloads");
  WorkloadEvidence evidence{JoinWorkloads(objects), *as_of, "the Kubernetes API"};
  if (!watches_) last_ = evidence;
  return evidence;
}

}  // namespace imagesweep::kube
