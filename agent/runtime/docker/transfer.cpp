#include "agent/runtime/docker/transfer.h"

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <limits>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "agent/base/codec.h"
#include "agent/base/quantity.h"
#include "agent/runtime/archive_files.h"
#include "agent/runtime/docker/engine.h"
#include "agent/runtime/docker/images.h"
#include "agent/runtime/docker/json.h"
#include "agent/runtime/docker/saved_archive.h"

namespace imagesweep::docker {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;
constexpr std::size_t kMaxTail = std::size_t{256} << 10;  // an error is the last message

// RFC 4648, section 5.
std::string ToBase64Url(std::string_view bytes) {
  std::string text = ToBase64(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

bool SaysOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(
      words, [&](std::string_view one) { return text.find(one) != std::string_view::npos; });
}

Error ErrorOfPull(Error error) {
  if (SaysOneOf(error.what,
                {"unauthorized", "access denied", "access is denied", "authentication required",
                 "no basic auth credentials", "incorrect username or password"}))
    error.kind = ErrorKind::kDenied;
  else if (SaysOneOf(error.what, {"manifest unknown", "not found"}))
    error.kind = ErrorKind::kNotFound;
  return error;
}

// The end of a stream, from the beginning of a line.
class Tail {
 public:
  void Add(std::string_view part) {
    text_ += part;
    if (text_.size() <= kMaxTail) return;
    const auto line = text_.find('\n', text_.size() - kMaxTail);
    if (line != std::string::npos) text_.erase(0, line + 1);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::vector<std::string> TagsOf(const Image& image) {
  std::vector<std::string> tags;
  for (const ImageName& tag : image.tags) tags.push_back(tag.text());
  return tags;
}

// By its tags, so that the archive has them, or else by its ID.
Result<std::string> TargetOf(const Image& image) {
  if (!IsFullImageId(image.id.text()))
    return Error{ErrorKind::kInvalid, "\"" + image.id.text() + "\" is not a full image ID"};
  if (image.tags.empty()) return "/images/get?names=" + Escaped(image.id.text());
  std::string target = "/images/get";
  for (const ImageName& tag : image.tags) {
    if (tag.tag().empty())
      return Error{ErrorKind::kInvalid, "Docker cannot save its name \"" + tag.text() + "\""};
    target += (target.ends_with("/get") ? "?names=" : "&names=") + Escaped(tag.text());
  }
  return target;
}

}  // namespace

Status Pull(const Client& client, const std::string& reference, const RegistryLogin& login,
            Millis limit, const std::stop_token& stop) {
  const ImageName name = ImageName::Parse(reference);
  const std::string_view version = name.digest().empty() ? name.tag() : name.digest();
  if (version.empty())
    return Error{ErrorKind::kInvalid, "pull: \"" + reference + "\" is not the name of an image"};
  Request request{.method = "POST",
                  .target = "/images/create?fromImage=" + Escaped(name.repository()) +
                            "&tag=" + Escaped(version),
                  .name = "POST /images/create"};
  if (!login.user.empty() || !login.password.empty()) {
    const std::string_view registry = name.repository().substr(0, name.repository().find('/'));
    const Json auth = {{"username", login.user},
                       {"password", login.password},
                       {"serveraddress", std::string(registry)}};
    request.headers.emplace_back(
        "X-Registry-Auth", ToBase64Url(auth.dump(-1, ' ', false, Json::error_handler_t::replace)));
  }
  Tail tail;
  const Status ended = client.Stream(
      request, limit,
      [&](std::string_view part) {
        tail.Add(part);
        return true;
      },
      stop);
  if (!ended) return ErrorOfPull(ended.error()).Wrap("pull " + reference);
  if (const std::string failure = ErrorOfProgress(tail.text()); !failure.empty())
    return ErrorOfPull({ErrorKind::kInternal, failure}).Wrap("pull " + reference);
  return Done{};
}

Status Load(const Client& client, const std::filesystem::path& archive, const std::string& id,
            const std::vector<std::string>& names, Millis limit, const std::stop_token& stop) {
  if (auto fits = CheckArchive(archive, id, names, stop); !fits) return fits;
  std::ifstream file(archive, std::ios::binary);
  if (!file) return Error{ErrorKind::kUnavailable, archive.string() + ": cannot be opened"};
  const auto next = [&]() -> Result<std::string> {
    std::string piece(kPiece, '\0');
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    if (file.bad()) return Error{ErrorKind::kUnavailable, archive.string() + ": cannot be read"};
    piece.resize(static_cast<std::size_t>(file.gcount()));
    return piece;
  };
  const Request request{
      .method = "POST", .target = "/images/load?quiet=1", .name = "POST /images/load"};
  const auto body = client.Upload(request, "application/x-tar", next, limit, stop);
  if (!body) return body.error().Wrap("load " + archive.string());
  if (const std::string failure = ErrorOfProgress(*body); !failure.empty())
    return Error{ErrorKind::kInternal, "load " + archive.string() + ": " + failure};
  const auto loaded = Inspect(client, id, stop);
  if (!loaded) return loaded.error().Wrap("load " + archive.string());
  if (!*loaded || (*loaded)->id != id)
    return Error{ErrorKind::kIncomplete,
                 "load " + archive.string() + ": Docker reports success, but does not have " + id};
  return Done{};
}

EngineArchiver::EngineArchiver(const Client& client, Options options)
    : client_(client), options_(std::move(options)) {}

Result<std::string> EngineArchiver::Archive(const Image& image, const std::stop_token& stop) {
  const std::string doing = "archive " + ShownName(image);
  const auto target = TargetOf(image);
  if (!target) return target.error().Wrap(doing);
  auto directory = ArchiveDirectory::Lock(options_.directory);
  if (!directory) return directory.error().Wrap(doing);
  const auto path = ArchiveFile(options_.directory, image.id.text());
  auto file = (*directory)->Begin(path);
  if (!file) return file.error().Wrap(doing);

  const std::uint64_t most =
      options_.max_size == 0 ? std::numeric_limits<std::uint64_t>::max() / 2 : options_.max_size;
  std::uint64_t size = 0;
  Status written = Done{};
  const auto take = [&](std::string_view part) {
    size += part.size();
    if (size > most)
      written =
          Error{ErrorKind::kInvalid, "the archive takes more than keep.archive.maxSize allows (" +
                                         HumanBytes(most) + ")"};
    else
      written = (*file)->Write(part);
    if (progress_) progress_();
    return static_cast<bool>(written);
  };
  const Request request{.target = *target, .name = "GET /images/get"};
  const Status ended = client_.Stream(request, options_.limit, take, stop);
  if (!written) return written.error().Wrap(doing);
  if (!ended) return ended.error().Wrap(doing);
  if (auto fits = CheckArchive((*file)->temporary(), image.id.text(), TagsOf(image), stop); !fits)
    return fits.error().Wrap(doing);
  if (auto room = (*directory)->FreeUp(size, most, path, written_); !room)
    return room.error().Wrap(doing);
  if (auto kept = (*file)->Keep(); !kept) return kept.error().Wrap(doing);
  written_.insert_or_assign(path, size);
  return path.string();
}

bool EngineArchiver::Has(const Image& image) {
  const auto written = written_.find(ArchiveFile(options_.directory, image.id.text()));
  if (written == written_.end()) return false;
  std::error_code failed;
  const std::uint64_t size = std::filesystem::file_size(written->first, failed);
  return !failed && size == written->second;
}

}  // namespace imagesweep::docker
