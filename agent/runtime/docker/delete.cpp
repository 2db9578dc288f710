#include "agent/runtime/docker/delete.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/runtime/docker/images.h"
#include "agent/runtime/docker/names.h"
#include "agent/runtime/docker/removal_steps.h"

// This file contains all requests to the Docker Engine that delete.

namespace imagesweep::docker {
namespace {

constexpr int kMaxChecks = 3;
constexpr int kNotFound = 404, kConflict = 409;

std::vector<ImageName> Sorted(std::vector<ImageName> names) {
  std::ranges::sort(names);
  return names;
}

bool SameNames(const Image& a, const Image& b) {
  return Sorted(a.tags) == Sorted(b.tags) && Sorted(a.digests) == Sorted(b.digests);
}

bool IsWhole(const ImageName& name) {
  return !name.tag().empty() || !name.digest().empty();
}

// The words decide only how a refusal is reported, and whether names are removed one by one. After
// a refusal in unknown words, nothing is removed.
bool Says(const Reply& reply, std::string_view words) {
  return reply.body.find(words) != std::string::npos;
}

bool SaysMultipleNames(const Reply& reply) {
  return Says(reply, "image is referenced in multiple repositories");
}

bool SaysInUse(const Reply& reply) {
  return Says(reply, "is using its referenced image") || Says(reply, "image is being used by ") ||
         Says(reply, "image has dependent child images");
}

// One removal of one image.
class RemovalOfOne {
 public:
  RemovalOfOne(const Client& client, const Image& image, DeletionGuard& guard,
               const std::stop_token& stop)
      : client_(client), image_(image), guard_(guard), stop_(stop) {}

  Result<Removal> Run() {
    const auto now = FindById(client_, image_.id, stop_);
    if (!now) return now.error();
    if (!*now) return Removal::kRemoved;
    if (!SameNames(image_, **now))
      return Removal::Skipped("its names changed since the plan was made");
    for (const auto* names : {&image_.tags, &image_.digests})
      for (const ImageName& name : *names)
        if (!IsWhole(name))
          return Removal::Skipped("Docker cannot remove its name \"" + name.text() + "\"");

    const auto first = NamesToRemoveFirst(image_);
    if (!first.empty()) {
      if (std::string why = guard_.WhyNot(); !why.empty()) return Removal::Skipped(std::move(why));
      const auto reply = Delete(image_.id.text());
      if (!reply) return Verified(reply.error());
      if (reply->status != kConflict || !SaysMultipleNames(*reply)) return Ended(*reply);
    }
    for (const ImageName& name : first)
      if (auto ended = Untag(name)) return *std::move(ended);
    if (std::string why = guard_.WhyNot(); !why.empty()) return Skip(std::move(why));
    const auto reply = Delete(image_.id.text());
    if (!reply) return Verified(reply.error());
    return Ended(*reply);
  }

 private:
  Request RequestFor(const std::string& id_or_name) const {
    return {.method = "DELETE",
            .target = "/images/" + Escaped(id_or_name) + "?force=false&noprune=1",
            .name = "DELETE /images/{name}"};
  }

  Result<Reply> Delete(const std::string& id_or_name) {
    begun_ = true;
    return client_.Send(RequestFor(id_or_name), stop_);
  }

  // Removes a name while it refers to the image. A value: the removal ends.
  std::optional<Result<Removal>> Untag(const ImageName& name) {
    // Read the name after the guard, which may have taken time, and right before its removal.
    for (int checks = 0;; ++checks) {
      if (checks == kMaxChecks)
        return Skip("it cannot be removed within 50ms of the last recheck; left for the next run");
      if (std::string why = guard_.WhyNot(); !why.empty()) return Skip(std::move(why));
      const auto there = Inspect(client_, name.text(), stop_);
      if (!there) return Undone(there.error());
      if (!*there) return std::nullopt;  // the last tag of its repository took it along
      if ((*there)->id != image_.id.text())
        return Skip(name.text() + " now refers to another image");
      if (guard_.StillHolds()) break;
    }
    const auto reply = Delete(name.text());
    if (!reply) return Undone(reply.error());
    if (reply->ok() && Says(*reply, "\"Deleted\"")) return Deleted(name);
    if (reply->ok() || reply->status == kNotFound) return std::nullopt;
    return Refused(*reply);
  }

  // A name was the last one of an image: of this one, if its other names went at the same time.
  Result<Removal> Deleted(const ImageName& name) {
    const auto left = FindById(client_, image_.id, {});
    if (!left) return left.error().Wrap("after the deletion");
    if (!*left) return Removal::kRemoved;
    moved_ = name;
    return Undone({ErrorKind::kInternal, name.text() +
                                             " moved to another image in the moment of its "
                                             "removal, and Docker deleted that image"});
  }

  // The answer to the deletion of the image itself.
  Result<Removal> Ended(const Reply& reply) {
    if (reply.ok() || reply.status == kNotFound) return Verified(std::nullopt);
    return Refused(reply);
  }

  // Reads whether the image is gone. `failure`: the deletion failed, or may have.
  Result<Removal> Verified(std::optional<Error> failure) {
    const auto left = FindById(client_, image_.id, {});
    if (!left && failure) return *std::move(failure);
    if (!left) return left.error().Wrap("after the deletion");
    if (!*left) return Removal::kRemoved;
    if (failure) return Undone(*std::move(failure));
    std::string names;
    for (const auto* list : {&(*left)->tags, &(*left)->digests})
      for (const ImageName& name : *list) names += (names.empty() ? "" : ", ") + name.text();
    return Undone({ErrorKind::kIncomplete,
                   "Docker reported the deletion, but still has the image, with " +
                       (names.empty() ? std::string("no name") : "the names " + names)});
  }

  Result<Removal> Refused(const Reply& reply) {
    Error error = ErrorOf(RequestFor(image_.id.text()), reply);
    if (reply.status != kConflict) return Undone(std::move(error));
    if (SaysMultipleNames(reply)) return Skip("it got another name: " + error.what);
    if (!SaysInUse(reply)) return Undone(std::move(error));
    if (std::string missing = RestoreNames(); !missing.empty())
      return Error{ErrorKind::kIncomplete, error.what + "; " + missing};
    return Removal::InUseElsewhere(std::move(error.what));
  }

  Result<Removal> Skip(std::string why) {
    if (std::string missing = RestoreNames(); !missing.empty())
      return Error{ErrorKind::kIncomplete, std::move(why) + "; " + missing};
    return Removal::Skipped(std::move(why));
  }

  Error Undone(Error error) {
    if (std::string missing = RestoreNames(); !missing.empty()) error.what += "; " + missing;
    return error;
  }

  // Also during a shutdown. Empty: the image has all its tags again. All of them are tried: on the
  // containerd store, a deletion by ID that is refused may have removed some already.
  std::string RestoreNames() {
    std::string why;
    if (!std::exchange(begun_, false)) return why;
    for (const ImageName& name : image_.tags) {
      if (name == moved_) continue;
      if (auto added = AddName(client_, image_.id.text(), name.text(), {}); !added)
        why += (why.empty() ? "" : ", ") + added.error().what;
    }
    return why.empty() ? why : "could not create these names again: " + why;
  }

  const Client& client_;
  const Image& image_;
  DeletionGuard& guard_;
  const std::stop_token& stop_;
  bool begun_ = false;              // a deletion was requested since the names were complete
  std::optional<ImageName> moved_;  // a name of another image now
};

}  // namespace

Result<Removal> EngineImageRemover::Remove(const Image& image, DeletionGuard& guard,
                                           const std::stop_token& stop) {
  return RemovalOfOne(client_, image, guard, stop).Run();
}

}  // namespace imagesweep::docker
