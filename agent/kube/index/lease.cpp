#include "agent/kube/index/lease.h"

#include <utility>

#include "agent/base/codec.h"
#include "agent/kube/client/micro_time.h"

namespace imagesweep::kube {
namespace {

constexpr const char* kResource = "leases";

std::string PathOf(const std::string& name_space) {
  return "/apis/coordination.k8s.io/v1/namespaces/" + UrlEncoded(name_space) + "/leases";
}

}  // namespace

Lease::Lease(HttpTransport& transport, Options options, const Clock& clock,
             RequestObserver observer, OnChange on_change, OnError on_error)
    : client_(transport, std::move(observer), options.renew_deadline / 2),
      options_(std::move(options)),
      clock_(clock),
      on_change_(std::move(on_change)),
      on_error_(std::move(on_error)) {}

bool Lease::Leads() const {
  const std::scoped_lock lock(mu_);
  return renewed_at_ && clock_.Steady() - *renewed_at_ < options_.renew_deadline;
}

void Lease::SetHeld(std::optional<SteadyTime> since) {
  const std::scoped_lock lock(mu_);
  renewed_at_ = since;
}

void Lease::ReportIfChanged() {
  const bool leads = Leads();
  if (std::exchange(reported_, leads) == leads || !on_change_) return;
  on_change_(leads, seen_ ? seen_->holder : std::string());
}

// Source: k8s.io/api/coordination/v1, LeaseSpec.
Result<Lease::Record> Lease::Parse(const Json& object, Millis lasts) {
  const Error bad{ErrorKind::kInvalid, "the object is not a valid Lease"};
  const auto metadata = ObjectAt(object, "metadata");
  const auto spec = ObjectAt(object, "spec");
  if (!metadata || !spec || *metadata == nullptr) return bad;
  const auto version = TextAt(**metadata, "resourceVersion");
  if (!version || version->empty()) return bad;
  Record record;
  record.version = *version;
  record.lasts = lasts;
  if (*spec == nullptr) return record;
  const auto holder = TextAt(**spec, "holderIdentity");
  const auto acquired = TextAt(**spec, "acquireTime");
  if (!holder || !acquired) return bad;
  record.holder = *holder;
  record.acquired = *acquired;
  record.text = (*spec)->dump(-1, ' ', false, Json::error_handler_t::replace);
  if (const auto it = (*spec)->find("leaseDurationSeconds");
      it != (*spec)->end() && it->is_number_integer())
    record.lasts = std::chrono::seconds(it->get<std::int32_t>());
  if (const auto it = (*spec)->find("leaseTransitions");
      it != (*spec)->end() && it->is_number_integer())
    record.transitions = it->get<std::int64_t>();
  return record;
}

Json Lease::Object(const Record& before, const std::string& now) const {
  const bool ours = before.holder == options_.holder;
  Json metadata = {{"name", options_.name}, {"namespace", options_.name_space}};
  if (!before.version.empty()) metadata["resourceVersion"] = before.version;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options_.lasts).count();
  // The first holder of a new Lease does not count as a transition.
  const std::int64_t transitions = before.transitions + (ours || before.version.empty() ? 0 : 1);
  return {{"apiVersion", "coordination.k8s.io/v1"},
          {"kind", "Lease"},
          {"metadata", metadata},
          {"spec",
           {{"holderIdentity", options_.holder},
            {"leaseDurationSeconds", seconds},
            {"acquireTime", ours && !before.acquired.empty() ? before.acquired : now},
            {"renewTime", now},
            {"leaseTransitions", transitions}}}};
}

Result<Lease::Record> Lease::Write(const Json& object, bool create, const std::stop_token& stop) {
  HttpRequest request{"POST", PathOf(options_.name_space), "application/json", object.dump()};
  if (!create) {
    request.method = "PUT";
    request.path += "/" + UrlEncoded(options_.name);
  }
  const auto answer = client_.Send(request, create ? "create" : "update", kResource, stop);
  if (!answer) return answer.error();
  return Parse(*answer, options_.lasts);
}

void Lease::Observe(Record record) {
  // Another spec or version: someone wrote it since then.
  if (!seen_ || seen_->version != record.version || seen_->text != record.text)
    seen_at_ = clock_.Steady();
  seen_ = std::move(record);
}

// The last known state is our own write, so the next write can rest on it without a read.
Status Lease::Renew(const std::stop_token& stop) {
  const SteadyTime asked = clock_.Steady();
  auto written = Write(Object(*seen_, MicroTime(clock_.Now())), false, stop);
  if (!written) return written.error();
  Observe(*std::move(written));
  SetHeld(asked);
  return Done{};
}

Status Lease::Take(const std::stop_token& stop) {
  const SteadyTime asked = clock_.Steady();
  const auto object =
      client_.Get(PathOf(options_.name_space) + "/" + UrlEncoded(options_.name), kResource, stop);
  const bool absent = !object && object.error().kind == ErrorKind::kNotFound;
  if (!object && !absent) return object.error();
  Record record;
  if (!absent) {
    auto parsed = Parse(*object, options_.lasts);
    if (!parsed) return parsed.error();
    record = *std::move(parsed);
    Observe(record);
    const bool free = record.holder.empty() || record.holder == options_.holder;
    if (!free && clock_.Steady() - seen_at_ < record.lasts) {
      SetHeld(std::nullopt);
      return Done{};
    }
  }
  auto written = Write(Object(record, MicroTime(clock_.Now())), absent, stop);
  if (!written) return written.error();
  Observe(*std::move(written));
  SetHeld(asked);
  return Done{};
}

Status Lease::TakeOrRenew(const std::stop_token& stop) {
  if (Leads() && seen_) {
    auto renewed = Renew(stop);
    // Someone wrote to it (a person, or another process while this one was suspended), so read it
    // again.
    if (renewed || (renewed.error().kind != ErrorKind::kIncomplete &&
                    renewed.error().kind != ErrorKind::kNotFound))
      return renewed;
  }
  return Take(stop);
}

Millis Lease::Step(const std::stop_token& stop) {
  const Status status = TakeOrRenew(stop);
  // A conflict means that another process was faster, which is normal. Twice in a row, it has
  // another cause.
  const bool raced = !status && status.error().kind == ErrorKind::kIncomplete;
  const bool good = status || (raced && !raced_);
  raced_ = raced;
  const std::string why = good ? "" : status.error().what;
  if (!stop.stop_requested() && reported_why_ != why) {
    reported_why_ = why;
    if (on_error_ && good) on_error_(std::nullopt);
    if (on_error_ && !good)
      on_error_(status.error().Wrap("Lease " + options_.name_space + "/" + options_.name));
  }
  ReportIfChanged();
  return status && Leads() ? options_.renew_every : options_.retry_every;
}

void Lease::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const Millis wait = Step(stop);
    // Sleeps in short pieces, so that an expired leadership is reported in time.
    const SteadyTime until = clock_.Steady() + wait;
    while (clock_.Steady() < until && clock_.Sleep(Millis(500), stop)) ReportIfChanged();
  }
  Release();
}

// As release() of client-go: no holder, for one second, so that the next process need not wait.
void Lease::Release() {
  if (!Leads() || !seen_) return;
  SetHeld(std::nullopt);
  Json object = Object(*seen_, MicroTime(clock_.Now()));
  object["spec"].erase("holderIdentity");
  object["spec"]["leaseDurationSeconds"] = 1;
  const auto released = Write(object, false, {});
  if (!released && on_error_)
    on_error_(released.error().Wrap("release Lease " + options_.name_space + "/" + options_.name));
  ReportIfChanged();
}

}  // namespace imagesweep::kube
