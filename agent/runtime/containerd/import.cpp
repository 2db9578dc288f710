#include "agent/runtime/containerd/import.h"

#include <containerd/content.grpc.pb.h>
#include <containerd/images.grpc.pb.h>
#include <containerd/leases.grpc.pb.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agent/model/image_name.h"
#include "agent/runtime/archive_files.h"
#include "agent/runtime/containerd/call.h"
#include "agent/runtime/containerd/delete.h"
#include "agent/runtime/containerd/import_blob.h"
#include "agent/runtime/containerd/import_file.h"

namespace imagesweep::containerd {
namespace {

namespace images_api = ::containerd::services::images::v1;
namespace content_api = ::containerd::services::content::v1;
namespace leases_api = ::containerd::services::leases::v1;

enum class Naming {
  kMade,
  kThere,      // the name already referred to this image
  kElsewhere,  // the name refers to another image and was not changed
};

// Reads the record with that name.
Result<images_api::Image> FindName(const Calls& calls, images_api::Images::Stub& stub,
                                   const std::string& name_space, const std::string& name) {
  images_api::GetImageRequest request;
  request.set_name(name);
  auto reply =
      calls.In(name_space).UnaryCall("Images.Get", stub, &images_api::Images::Stub::Get, request);
  if (!reply) return std::move(reply).error();
  return std::move(*reply->mutable_image());
}

// Creates a record of the image as the CRI plugin does, which then lists it. Never moves a name
// from one image to another.
Result<Naming> MakeName(const Calls& calls, images_api::Images::Stub& stub,
                        const std::string& name_space, const std::string& name,
                        const ::containerd::types::Descriptor& target) {
  images_api::CreateImageRequest request;
  request.mutable_image()->set_name(name);
  *request.mutable_image()->mutable_target() = target;
  // The label that the CRI plugin puts on the names that it manages (internal/cri/labels).
  (*request.mutable_image()->mutable_labels())["io.cri-containerd.image"] = "managed";
  auto made = calls.In(name_space)
                  .UnaryCall("Images.Create", stub, &images_api::Images::Stub::Create, request);
  if (made) return Naming::kMade;
  // The name probably exists. If not, report the first error.
  const auto found = FindName(calls, stub, name_space, name);
  if (!found) return std::move(made).error();
  return found->target().digest() == target.digest() ? Naming::kThere : Naming::kElsewhere;
}

// One blob with the labels that refer to others.
struct Step {
  Descriptor blob;
  std::map<std::string, std::string> labels;
};

// The blobs to write. A blob comes after the blobs that it refers to.
struct Steps {
  const ArchiveReader& archive;
  std::string image_id;
  std::vector<Step> steps;
  // For each added blob, whether it leads to the manifest of the image.
  std::map<std::string, bool> leads;

  Status Add(const Descriptor& blob) {
    if (!archive.Has(blob.digest) || !leads.try_emplace(blob.digest, false).second) return Done{};
    Step step{blob, {}};
    step.blob.size = archive.SizeOf(blob.digest);
    bool leads_there = false;
    if (blob.is_manifest() || blob.is_index()) {
      const auto text = archive.ReadDocument(blob.digest);
      if (!text) return text.error();
      const auto links = ParseLinks(blob, *text);
      if (!links) return links.error().Wrap(blob.digest);
      for (const Descriptor& child : links->all) {
        if (auto added = Add(child); !added) return added;
        leads_there = leads_there || LeadsToImage(child.digest);
      }
      if (auto fits = Check(*links); !fits) return fits;
      leads_there = leads_there || links->config == image_id;
      step.labels = links->GcLabels();
      // Parts for other platforms that never were on the node.
      std::erase_if(step.labels, [&](const auto& label) { return !archive.Has(label.second); });
    }
    leads[blob.digest] = leads_there;
    steps.push_back(std::move(step));
    return Done{};
  }

  bool LeadsToImage(const std::string& digest) const {
    const auto found = leads.find(digest);
    return found != leads.end() && found->second;
  }

  Status Check(const Links& links) const {
    if (links.config != image_id) return Done{};
    for (const Descriptor& child : links.all)
      if (!archive.Has(child.digest))
        return Error{ErrorKind::kInvalid,
                     "blob " + child.digest + " of the image is missing in the archive"};
    return Done{};
  }
};

// Protects the written content from the garbage collector until a name does.
class Lease {
 public:
  static Result<std::unique_ptr<Lease>> Make(const Calls& calls, leases_api::Leases::Stub& stub,
                                             const std::string& name_space, const std::string& id,
                                             SystemTime until) {
    leases_api::CreateRequest request;
    request.set_id(id);
    // In case this process cannot delete it.
    (*request.mutable_labels())["containerd.io/gc.expire"] = FormatTime(until);
    const auto made =
        calls.In(name_space)
            .UnaryCall("Leases.Create", stub, &leases_api::Leases::Stub::Create, request);
    if (!made) return made.error();
    return std::unique_ptr<Lease>(new Lease(stub, name_space, made->lease().id()));
  }
  ~Lease() {
    // Runs also during shutdown. If it fails, the lease expires.
    const Calls calls(std::chrono::seconds(10), {});
    static_cast<void>(EndLease(calls, stub_, name_space_, id_, false));
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  const std::string& id() const { return id_; }

 private:
  Lease(leases_api::Leases::Stub& stub, std::string name_space, std::string id)
      : stub_(stub), name_space_(std::move(name_space)), id_(std::move(id)) {}
  leases_api::Leases::Stub& stub_;
  const std::string name_space_, id_;
};

// Write access to the directory of archives must not give the right to name images. The journal has
// names as the CRI lists them, an archive as containerd's records have them.
Status CheckNames(const std::vector<NamedImage>& images, const std::string& image_id,
                  const std::vector<std::string>& known) {
  for (const NamedImage& image : images) {
    if (image.name.empty() || image.name == image_id) continue;
    if (std::ranges::find(known, image.name) != known.end() ||
        std::ranges::find(known, ImageName::Parse(image.name).text()) != known.end())
      continue;
    return Error{ErrorKind::kInvalid, "the archive names \"" + image.name +
                                          "\", which the journal does not list for this image; "
                                          "nothing was imported"};
  }
  return Done{};
}

void Note(const std::string& name, Naming naming, std::vector<std::string>& notes) {
  if (naming == Naming::kElsewhere)
    notes.push_back(name + " now refers to another image and was not changed");
}

}  // namespace

struct Importer::Stubs {
  explicit Stubs(const std::shared_ptr<grpc::Channel>& channel)
      : images(channel), content(channel), leases(channel) {}
  images_api::Images::Stub images;
  content_api::Content::Stub content;
  leases_api::Leases::Stub leases;
};

Importer::Importer(const std::shared_ptr<grpc::Channel>& channel, const Clock& clock,
                   ImportOptions options)
    : clock_(clock), options_(std::move(options)), stubs_(std::make_unique<Stubs>(channel)) {}

Importer::~Importer() = default;

Result<std::vector<std::string>> Importer::Import(const std::filesystem::path& path,
                                                  const std::string& image_id,
                                                  const std::vector<std::string>& names,
                                                  const std::stop_token& stop) {
  const auto archive = ArchiveReader::Open(path, stop);
  if (!archive) return archive.error();
  if (auto known = CheckNames((*archive)->images(), image_id, names); !known)
    return known.error().Wrap(path.string());
  Steps plan{**archive, image_id, {}, {}};
  // The ID is also a name, as after a pull (internal/cri/server/images, PullImage).
  std::vector<NamedImage> records;
  for (const NamedImage& image : (*archive)->images()) {
    if (auto added = plan.Add(image.target); !added) return added.error().Wrap(path.string());
    if (!plan.LeadsToImage(image.target.digest))
      return Error{ErrorKind::kInvalid, path.string() +
                                            ": the archive contains another image than " +
                                            image_id + " under the name \"" + image.name + "\""};
    if (records.empty()) records.push_back({image_id, image.target});
  }
  if (records.empty())
    return Error{ErrorKind::kInvalid, path.string() + ": the archive contains no image"};

  const Calls calls(options_.timeout, stop);
  const std::string& space = options_.cri_namespace;
  const SystemTime now = clock_.Now();
  const std::string id = "imagesweep-restore-" + image_id.substr(0, 19) + "-" +
                         std::to_string(now.time_since_epoch().count());
  const auto lease = Lease::Make(calls, stubs_->leases, space, id, now + 2 * options_.timeout);
  if (!lease) return lease.error();
  const BlobWriter writer(calls, stubs_->content, space, (*lease)->id());
  for (const Step& step : plan.steps) {
    auto written = writer.Write(step.blob, step.labels, [&](const auto& take) {
      return (*archive)->Read(step.blob.digest, take);
    });
    if (!written) return std::move(written).error();
  }
  records.insert(records.end(), (*archive)->images().begin(), (*archive)->images().end());
  std::vector<std::string> notes;
  for (const NamedImage& image : records) {
    if (image.name.empty()) continue;
    ::containerd::types::Descriptor target;
    target.set_media_type(image.target.media_type);
    target.set_digest(image.target.digest);
    target.set_size(static_cast<std::int64_t>(image.target.size));
    const auto naming = MakeName(calls, stubs_->images, space, image.name, target);
    if (!naming) return naming.error();
    Note(image.name, *naming, notes);
  }
  return notes;
}

Result<std::vector<std::string>> Importer::AddNames(const std::string& from,
                                                    const std::vector<std::string>& names,
                                                    const std::stop_token& stop) {
  const Calls calls(options_.timeout, stop);
  const std::string& space = options_.cri_namespace;
  const auto record = FindName(calls, stubs_->images, space, from);
  if (!record) return record.error();
  std::vector<std::string> notes;
  for (const std::string& name : names) {
    const auto naming = MakeName(calls, stubs_->images, space, name, record->target());
    if (!naming) return naming.error();
    Note(name, *naming, notes);
  }
  return notes;
}

}  // namespace imagesweep::containerd
