#include "agent/runtime/containerd/archive_source.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "agent/runtime/archive_files.h"

namespace imagesweep::containerd {
namespace {

namespace images_api = ::containerd::services::images::v1;
namespace content_api = ::containerd::services::content::v1;

// The part of a large blob that one call reads.
constexpr std::uint64_t kPiece = std::uint64_t{32} << 20;

Descriptor FromProto(const ::containerd::types::Descriptor& proto) {
  return {proto.media_type(), proto.digest(), static_cast<std::uint64_t>(proto.size())};
}

}  // namespace

struct ArchiveSource::Walk {
  std::string image_id;
  ArchivePlan plan;
  std::set<std::string> seen;
  bool found = false;                  // the manifest of this image
  std::optional<std::string> missing;  // a missing blob of this image
};

Result<ArchivePlan> ArchiveSource::Plan(const Image& image) {
  auto names = FindNames(image);
  if (!names) return std::move(names).error();
  Walk walk{image.id.text(), {*names, {}}, {}, false, {}};
  if (auto visited = Visit(names->front().target, walk); !visited) return visited.error();
  if (walk.missing)
    return Error{ErrorKind::kIncomplete,
                 "containerd no longer has blob " + *walk.missing +
                     "; check discard_unpacked_layers in its configuration"};
  if (!walk.found) return Error{ErrorKind::kIncomplete, "containerd has no manifest of the image"};
  return std::move(walk.plan);
}

Result<std::vector<NamedImage>> ArchiveSource::FindNames(const Image& image) {
  const auto reply = calls_.In(name_space_)
                         .UnaryCall("Images.List", images_, &images_api::Images::Stub::List,
                                    images_api::ListImagesRequest());
  if (!reply) return reply.error();
  const auto is_one_of_its = [&](const std::string& name) {
    return name == image.id.text() || std::ranges::any_of(image.tags, [&](const ImageName& tag) {
             return tag.text() == name;
           });
  };
  std::string target;
  for (const auto& record : reply->images()) {
    if (!is_one_of_its(record.name())) continue;
    if (!target.empty() && target != record.target().digest())
      return Error{ErrorKind::kIncomplete,
                   "the names of the image refer to different images in containerd"};
    target = record.target().digest();
  }
  std::vector<NamedImage> names;
  for (const auto& record : reply->images())
    if (record.target().digest() == target && record.name() != image.id.text())
      names.push_back({record.name(), FromProto(record.target())});
  // An image that lost all of its names is restored under its ID.
  if (names.empty())
    for (const auto& record : reply->images())
      if (record.name() == image.id.text())
        names.push_back({record.name(), FromProto(record.target())});
  if (names.empty()) return Error{ErrorKind::kNotFound, "containerd has no record of the image"};
  return names;
}

Status ArchiveSource::Visit(const Descriptor& blob, Walk& walk) {
  if (!walk.seen.insert(blob.digest).second) return Done{};
  Descriptor there = blob;
  const auto is_there = IsThere(there);
  if (!is_there) return is_there.error();
  if (!*is_there) return Done{};
  walk.plan.blobs.push_back(there);
  if (!blob.is_manifest() && !blob.is_index()) return Done{};
  const auto text = ReadDocument(there);
  if (!text) return text.error();
  const auto links = ParseLinks(blob, *text);
  if (!links) return links.error().Wrap(blob.digest);
  for (const Descriptor& child : links->all)
    if (auto visited = Visit(child, walk); !visited) return visited;
  if (links->config != walk.image_id) return Done{};
  walk.found = true;
  for (const Descriptor& child : links->all)
    if (std::ranges::none_of(walk.plan.blobs,
                             [&](const Descriptor& one) { return one.digest == child.digest; }))
      walk.missing = child.digest;
  return Done{};
}

Result<bool> ArchiveSource::IsThere(Descriptor& blob) {
  content_api::InfoRequest request;
  request.set_digest(blob.digest);
  const auto info =
      calls_.In(name_space_)
          .UnaryCall("Content.Info", content_, &content_api::Content::Stub::Info, request);
  if (!info && info.error().kind == ErrorKind::kNotFound) return false;
  if (!info) return info.error();
  blob.size = static_cast<std::uint64_t>(info->info().size());
  return true;
}

Result<std::string> ArchiveSource::ReadDocument(const Descriptor& blob) {
  if (blob.size > kMaxDocumentBytes)
    return Error{ErrorKind::kInvalid, blob.digest + " is too large for a manifest"};
  std::string text;
  auto read = Read(blob, [&](std::string_view piece) -> Status {
    text += piece;
    return Done{};
  });
  if (!read) return std::move(read).error();
  return text;
}

Status ArchiveSource::Read(const Descriptor& blob,
                           const std::function<Status(std::string_view)>& take) {
  Sha256 sum;
  std::uint64_t got = 0;
  while (got < blob.size) {
    content_api::ReadContentRequest request;
    request.set_digest(blob.digest);
    request.set_offset(static_cast<std::int64_t>(got));
    request.set_size(static_cast<std::int64_t>(std::min(kPiece, blob.size - got)));
    Status taken = Done{};
    std::uint64_t piece = 0;
    auto read = calls_.In(name_space_)
                    .StreamingCall("Content.Read", content_, &content_api::Content::Stub::Read,
                                   request, [&](const content_api::ReadContentResponse& reply) {
                                     if (!taken) return;
                                     piece += reply.data().size();
                                     sum.Add(reply.data());
                                     taken = take(reply.data());
                                   });
    if (!read) return read;
    if (!taken) return taken;
    if (piece == 0) break;
    got += piece;
  }
  if (got == blob.size && sum.Digest() == blob.digest) return Done{};
  return Error{ErrorKind::kIncomplete, "the content of " + blob.digest +
                                           " in containerd is damaged: its digest does not match"};
}

}  // namespace imagesweep::containerd
