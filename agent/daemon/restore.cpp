#include "agent/daemon/restore.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "agent/daemon/restore_space.h"

namespace imagesweep {
namespace {

using RestoreOutcome = RestoreReport::Outcome;
using From = RestoreReport::From;

// containerd's CRI plugin learns about names from events, shortly after their creation.
constexpr Millis kUntilListed = std::chrono::seconds(10);
constexpr Millis kBetweenLooks{100};

const Image* Find(const std::vector<Image>& listed, const std::string& id) {
  const auto found =
      std::ranges::find_if(listed, [&](const Image& image) { return image.id.text() == id; });
  return found == listed.end() ? nullptr : &*found;
}

bool HasName(const Image& image, const std::string& name) {
  const auto is_it = [&](const ImageName& one) { return one.text() == name; };
  return std::ranges::any_of(image.tags, is_it) || std::ranges::any_of(image.digests, is_it);
}

std::vector<std::string> Names(const RestoreReport::Image& wanted) {
  std::vector<std::string> names = wanted.names;
  names.insert(names.end(), wanted.digests.begin(), wanted.digests.end());
  return names;
}

// The wanted names that no image has.  Notes each name that another image has.
std::vector<std::string> Missing(const std::vector<Image>& listed, RestoreReport::Image& wanted,
                                 bool note) {
  std::vector<std::string> missing;
  for (const std::string& name : Names(wanted)) {
    const auto owner =
        std::ranges::find_if(listed, [&](const Image& image) { return HasName(image, name); });
    if (owner == listed.end())
      missing.push_back(name);
    else if (owner->id.text() != wanted.id && note)
      wanted.notes.push_back(name + " now names another image and was left unchanged");
  }
  return missing;
}

class RestoreTask {
 public:
  RestoreTask(RestoreBackend& backend, const Clock& clock, const std::stop_token& stop)
      : backend_(backend), clock_(clock), stop_(stop) {}

  Status Run(RestoreReport::Image& wanted) {
    auto listed = backend_.ListImages(stop_);
    if (!listed) return std::move(listed).error();
    const Image* image = Find(*listed, wanted.id);
    if (image == nullptr) {
      if (auto fetched = Fetch(wanted); !fetched) return fetched;
      listed = Await(wanted, /*names=*/false);
      if (!listed) return std::move(listed).error();
      image = Find(*listed, wanted.id);
    }
    if (auto named = Name(*listed, *image, wanted); !named) return named;
    listed = Await(wanted, /*names=*/true);
    return listed ? Status(Done{}) : Status(std::move(listed).error());
  }

 private:
  // Returns the first error if no source has the image, and notes the others.
  Status Fetch(RestoreReport::Image& wanted) {
    Status first = Error{ErrorKind::kNotFound, "no known registry or archive has it"};
    bool tried = false;
    for (const RestoreReport::Source& source : wanted.sources) {
      auto one = FetchFrom(source, wanted);
      if (one) {
        wanted.from = source.from;
        wanted.source = source.reference;
        if (tried)
          wanted.notes.push_back("restored from " + source.reference +
                                 " because the first source failed: " + first.error().what);
        return one;
      }
      given_up_.push_back(source.reference);  // also as a name: do not pull it twice
      if (tried)
        wanted.notes.push_back(source.reference + " also failed: " + one.error().what);
      else
        first = std::move(one);
      tried = true;
      if (stop_.stop_requested()) break;
    }
    return first;
  }

  Status FetchFrom(const RestoreReport::Source& source, const RestoreReport::Image& wanted) {
    if (source.from != From::kArchive) return backend_.Pull(source.reference, stop_);
    auto notes = backend_.Import(source.reference, wanted.id, Names(wanted), stop_);
    return notes ? Status(Done{}) : Status(std::move(notes).error());
  }

  Status Name(const std::vector<Image>& listed, const Image& image, RestoreReport::Image& wanted) {
    auto missing = Missing(listed, wanted, /*note=*/true);
    std::erase_if(missing, [&](const std::string& name) {
      return std::ranges::find(given_up_, name) != given_up_.end();
    });
    if (missing.empty()) return Done{};
    if (backend_.makes_names()) {
      const std::string& from =
          image.digests.empty() ? image.tags.empty() ? image.id.text() : image.tags.front().text()
                                : image.digests.front().text();
      // A name with a digest belongs to the manifest with that digest.  Images with the same ID may
      // have several manifests, and only the registry has the others.
      const std::string target =
          image.digests.empty() ? std::string() : std::string(image.digests.front().digest());
      std::vector<std::string> made, others;
      for (const std::string& name : missing) {
        const ImageName parsed = ImageName::Parse(name);
        (parsed.digest().empty() || parsed.digest() == target ? made : others).push_back(name);
      }
      if (!made.empty()) {
        const auto notes = backend_.AddNames(from, made, stop_);
        if (!notes) return notes.error().Wrap("restored, but not with all its names");
        wanted.notes.insert(wanted.notes.end(), notes->begin(), notes->end());
      }
      for (const std::string& name : others) PullName(name, wanted);
      return Done{};
    }
    for (const std::string& name : wanted.names) {
      if (std::ranges::find(missing, name) == missing.end()) continue;
      PullName(name, wanted);
    }
    return Done{};
  }

  void PullName(const std::string& name, RestoreReport::Image& wanted) {
    auto pulled = backend_.Pull(name, stop_);
    if (pulled) return;
    wanted.notes.push_back("restored, but not as " + name + ": " + pulled.error().what);
    given_up_.push_back(name);
  }

  // Lists images until the image is present, with its names if `names` is true.
  Result<std::vector<Image>> Await(RestoreReport::Image& wanted, bool names) {
    const SteadyTime until = clock_.Steady() + kUntilListed;
    while (true) {
      auto listed = backend_.ListImages(stop_);
      if (!listed) return listed;
      const bool is_there = Find(*listed, wanted.id) != nullptr;
      const bool given_up = clock_.Steady() >= until;
      auto missing = Missing(*listed, wanted, /*note=*/false);
      std::erase_if(missing, [&](const std::string& name) {
        return std::ranges::find(given_up_, name) != given_up_.end();
      });
      // A runtime that cannot add names shows at once which image each name belongs to.
      const bool all = !names || missing.empty() || !backend_.makes_names();
      if (is_there && (all || given_up)) {
        if (names && backend_.makes_names())
          for (const std::string& name : missing)
            wanted.notes.push_back("the runtime does not list " + name);
        if (names && !backend_.makes_names()) Missing(*listed, wanted, /*note=*/true);
        return listed;
      }
      if (given_up)
        return Error{ErrorKind::kIncomplete, "fetched " + wanted.source + ", but the runtime " +
                                                 "stored it under another ID than " + wanted.id};
      if (!clock_.Sleep(kBetweenLooks, stop_)) return Error{ErrorKind::kCancelled, "stopped"};
    }
  }

  RestoreBackend& backend_;
  const Clock& clock_;
  const std::stop_token stop_;
  std::vector<std::string> given_up_;  // names, noted as such
};

Status RestoreOne(RestoreReport::Image& image, RestoreBackend& backend, const Clock& clock,
                  SpaceGuard& space) {
  if (space.token().stop_requested()) return space.WhyStopped();
  // An image that is present needs no space.
  if (image.from != From::kHere)
    if (auto room = space.Begin(image.size_bytes); !room) return room;
  Status done = RestoreTask(backend, clock, space.token()).Run(image);
  if (image.from != From::kHere) space.End(image.size_bytes);
  if (!done && space.token().stop_requested()) return space.WhyStopped();
  return done;
}

}  // namespace

Status CompareWithNode(RestoreReport& report, RestoreBackend& backend,
                       const std::stop_token& stop) {
  const auto listed = backend.ListImages(stop);
  if (!listed) return listed.error();
  for (RestoreReport::Image& wanted : report.images) {
    if (Find(*listed, wanted.id) != nullptr) {
      wanted.error.clear();
      const auto missing = Missing(*listed, wanted, /*note=*/false);
      wanted.outcome =
          missing.empty() ? RestoreOutcome::kAlreadyHere : RestoreOutcome::kWouldRestore;
      if (missing.empty()) Missing(*listed, wanted, /*note=*/true);
      if (!missing.empty() && backend.makes_names()) wanted.from = From::kHere;
      continue;
    }
    if (backend.makes_names()) continue;
    const std::string archive = wanted.source;
    std::erase_if(wanted.sources, [](const auto& one) { return one.from == From::kArchive; });
    if (!wanted.sources.empty()) {
      wanted.from = wanted.sources.front().from;
      wanted.source = wanted.sources.front().reference;
    } else if (wanted.from == From::kArchive) {
      wanted.outcome = RestoreOutcome::kCannot;
      wanted.error = "only containerd can import archives, such as " + archive;
    }
  }
  return Done{};
}

void Restore(RestoreReport& report, RestoreBackend& backend, const Clock& clock,
             const RestoreOptions& options, const std::stop_token& stop) {
  std::vector<RestoreReport::Image*> wanted;
  for (RestoreReport::Image& image : report.images)
    if (image.outcome == RestoreOutcome::kWouldRestore) wanted.push_back(&image);
  std::atomic<std::size_t> next = 0;
  std::mutex telling;
  SpaceGuard space(options.space, clock, stop);
  const auto worker = [&] {
    for (std::size_t at = next++; at < wanted.size(); at = next++) {
      RestoreReport::Image& image = *wanted[at];
      const Status done = RestoreOne(image, backend, clock, space);
      image.outcome = done ? RestoreOutcome::kRestored : RestoreOutcome::kFailed;
      if (!done) image.error = done.error().what;
      const std::scoped_lock one_at_a_time(telling);
      if (options.on_done) options.on_done(image);
    }
  };
  std::vector<std::jthread> workers;
  const auto count = std::min(wanted.size(), static_cast<std::size_t>(options.parallel));
  for (std::size_t at = 0; at < count; ++at) workers.emplace_back(worker);
}

}  // namespace imagesweep
