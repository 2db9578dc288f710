#include "agent/runtime/containerd/archive.h"

#include <system_error>
#include <utility>

#include "agent/base/quantity.h"
#include "agent/runtime/archive_files.h"
#include "agent/runtime/archive_tar.h"
#include "agent/runtime/containerd/archive_source.h"

namespace imagesweep::containerd {
namespace {

std::uint64_t InTar(std::uint64_t size) {
  return kTarBlock + size + TarPadding(size);
}

// The exact size of the archive in bytes.
std::uint64_t SizeOf(const ArchivePlan& plan) {
  std::uint64_t size = InTar(LayoutFile().size()) + InTar(MakeIndex(plan.names).size());
  for (const Descriptor& blob : plan.blobs) size += InTar(blob.size);
  return size + 2 * kTarBlock;
}

Status PutHeader(NewFile& file, const std::string& name, std::uint64_t size) {
  const TarBlock header = TarHeader({name, size, true});
  return file.Write({header.data(), header.size()});
}

Status PutPadding(NewFile& file, std::uint64_t size) {
  return file.Write(std::string(TarPadding(size), '\0'));
}

Status PutText(NewFile& file, const std::string& name, const std::string& text) {
  if (auto put = PutHeader(file, name, text.size()); !put) return put;
  if (auto put = file.Write(text); !put) return put;
  return PutPadding(file, text.size());
}

Status PutAll(NewFile& file, const ArchivePlan& plan, ArchiveSource& source,
              const std::function<void()>& progress) {
  if (auto put = PutText(file, "oci-layout", LayoutFile()); !put) return put;
  if (auto put = PutText(file, "index.json", MakeIndex(plan.names)); !put) return put;
  for (const Descriptor& blob : plan.blobs) {
    if (auto put = PutHeader(file, BlobPath(blob.digest), blob.size); !put) return put;
    auto copied = source.Read(blob, [&](std::string_view piece) -> Status {
      if (progress) progress();
      return file.Write(piece);
    });
    if (!copied) return copied;
    if (auto put = PutPadding(file, blob.size); !put) return put;
  }
  return file.Write(std::string(2 * kTarBlock, '\0'));
}

}  // namespace

struct Archiver::Stubs {
  explicit Stubs(const std::shared_ptr<grpc::Channel>& channel)
      : images(channel), content(channel) {}
  ::containerd::services::images::v1::Images::Stub images;
  ::containerd::services::content::v1::Content::Stub content;
};

Archiver::Archiver(const std::shared_ptr<grpc::Channel>& channel, ArchiveOptions options)
    : options_(std::move(options)), stubs_(std::make_unique<Stubs>(channel)) {}

Archiver::~Archiver() = default;

Result<std::string> Archiver::Archive(const Image& image, const std::stop_token& stop) {
  const std::string doing = "archive " + ShownName(image);
  if (!IsSha256(image.id.text()))
    return Error{ErrorKind::kInvalid, doing + ": image ID is not a sha256 digest"};
  auto directory = ArchiveDirectory::Lock(options_.directory);
  if (!directory) return directory.error().Wrap(doing);
  const Calls calls(options_.timeout, stop);
  ArchiveSource source(calls, options_.cri_namespace, stubs_->images, stubs_->content);
  const auto plan = source.Plan(image);
  if (!plan) return plan.error().Wrap(doing);
  const std::uint64_t size = SizeOf(*plan);
  if (size > options_.max_size)
    return Error{ErrorKind::kInvalid, doing + ": the archive takes " + HumanBytes(size) +
                                          ", more than keep.archive.maxSize allows (" +
                                          HumanBytes(options_.max_size) + ")"};
  const auto path = ArchiveFile(options_.directory, image.id.text());
  if (auto room = (*directory)->FreeUp(size, options_.max_size, path, written_); !room)
    return room.error().Wrap(doing);
  auto file = (*directory)->Begin(path);
  if (!file) return file.error().Wrap(doing);
  if (auto put = PutAll(**file, *plan, source, progress_); !put) return put.error().Wrap(doing);
  if (auto kept = (*file)->Keep(); !kept) return kept.error().Wrap(doing);
  written_.insert_or_assign(path, size);
  return path.string();
}

bool Archiver::Has(const Image& image) {
  const auto written = written_.find(ArchiveFile(options_.directory, image.id.text()));
  if (written == written_.end()) return false;
  std::error_code failed;
  const std::uint64_t size = std::filesystem::file_size(written->first, failed);
  return !failed && size == written->second;
}

}  // namespace imagesweep::containerd
