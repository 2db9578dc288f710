// Source: moby v20.10, daemon/images/image_delete.go, and v29, daemon/containerd/image_delete.go,
// with the texts of the recordings in tests/support/docker.
#include "tests/support/fake_docker_names.h"

#include <algorithm>

namespace imagesweep::fake_docker {

namespace {

std::string Repository(const std::string& name) {
  if (const auto at = name.find('@'); at != std::string::npos) return name.substr(0, at);
  return name.substr(0, name.rfind(':'));
}

bool Has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsIdOf(const FakeEngineImage& image, const std::string& text) {
  const std::string hex = image.id.substr(image.id.find(':') + 1);
  return image.id == text || (text.size() >= 4 && hex.starts_with(text));
}

// At most one tag, and all references are of one repository (isSingleReference of moby).
bool SingleReference(const FakeEngineImage& image) {
  if (image.tags.size() + image.digests.size() <= 1) return true;
  if (image.tags.size() > 1) return false;
  const std::string repository = Repository(image.tags.empty() ? image.digests[0] : image.tags[0]);
  return std::all_of(image.digests.begin(), image.digests.end(),
                     [&](const std::string& name) { return Repository(name) == repository; });
}

std::string ConflictOf(const FakeEngineNode& node, const FakeEngineImage& image) {
  const std::string start = "conflict: unable to delete " + Short(image.id);
  for (const auto& other : node.images) {
    if (other.parent == image.id && !node.containerd_store) {
      return start + " (cannot be forced) - image has dependent child images";
    }
  }
  for (const auto& user : node.containers) {
    if (user.image_id != image.id) continue;
    if (user.state == "running" || user.state == "paused") {
      return start + " (cannot be forced) - image is being used by running container " +
             Short(user.id);
    }
    return start + " (must be forced) - image is being used by stopped container " + Short(user.id);
  }
  if (image.tags.size() > 1) {
    return start + " (must be forced) - image is referenced in multiple repositories";
  }
  return {};
}

// A removal while it goes on, with what the daemon tells of it.
struct Deletion {
  FakeEngineNode& node;
  FakeEngineImage* image;
  json records = json::array();

  void Untag(std::vector<std::string>& names, const std::string& name) {
    names.erase(std::find(names.begin(), names.end(), name));
    records.push_back({{"Untagged", name}});
  }
  FakeEngineReply Delete() {
    records.push_back({{"Deleted", image->id}});
    node.images.erase(node.images.begin() + (image - node.images.data()));
    return Json(records);
  }
  // The container that keeps the last name, or null.
  const FakeEngineContainer* User() const {
    for (const auto& user : node.containers) {
      const bool mounts =
          std::any_of(user.mounted_images.begin(), user.mounted_images.end(),
                      [&](const std::string& name) { return Find(node, name) == image; });
      if (user.image_id == image->id || (mounts && node.containerd_store)) return &user;
    }
    return nullptr;
  }
};

FakeEngineReply DeleteById(Deletion deletion) {
  FakeEngineImage& image = *deletion.image;
  if (const std::string conflict = ConflictOf(deletion.node, image); !conflict.empty()) {
    return FakeEngineReply::Failure(409, conflict);
  }
  const auto tags = image.tags, digests = image.digests;
  for (const auto& name : tags) deletion.Untag(image.tags, name);
  for (const auto& name : digests) deletion.Untag(image.digests, name);
  return deletion.Delete();
}

// Docker's own store: tags and digests are names.
FakeEngineReply DeleteByName(Deletion deletion, const std::string& text) {
  FakeEngineImage& image = *deletion.image;
  const auto* user = deletion.User();
  if (SingleReference(image) && user != nullptr) {
    return FakeEngineReply::Failure(409, "conflict: unable to remove repository reference \"" +
                                             text + "\" (must force) - container " +
                                             Short(user->id) + " is using its referenced image " +
                                             Short(image.id));
  }
  const std::string name = Familiar(text);
  const bool by_tag = Has(image.tags, name);
  deletion.Untag(by_tag ? image.tags : image.digests, name);
  const auto same = [&](const std::string& other) { return Repository(other) == Repository(name); };
  // A repository without a tag loses its digests, too.
  if (by_tag && std::none_of(image.tags.begin(), image.tags.end(), same)) {
    const auto digests = image.digests;
    for (const auto& digest : digests) {
      if (same(digest)) deletion.Untag(image.digests, digest);
    }
  }
  if (!image.tags.empty() || !image.digests.empty()) return Json(deletion.records);
  // The daemon says nothing of a conflict after an untag: the image stays without a name.
  if (!ConflictOf(deletion.node, image).empty()) return Json(deletion.records);
  return deletion.Delete();
}

// The containerd store: only tags are names, and a digest stands for all tags of its repository.
FakeEngineReply DeleteFromContainerd(Deletion deletion, const std::string& text) {
  FakeEngineImage& image = *deletion.image;
  const std::string name = Familiar(text);
  std::vector<std::string> gone = {name};
  if (!Has(image.tags, name)) {
    gone.clear();
    for (const auto& tag : image.tags) {
      if (Repository(tag) == Repository(name)) gone.push_back(tag);
    }
  }
  const auto* user = deletion.User();
  if (gone.size() == image.tags.size() && user != nullptr) {
    return FakeEngineReply::Failure(409, "conflict: unable to delete " + text +
                                             " (must be forced) - container " + Short(user->id) +
                                             " is using its referenced image " + Short(image.id));
  }
  for (const auto& tag : gone) deletion.Untag(image.tags, tag);
  std::erase_if(image.digests, [&](const std::string& digest) {
    return std::none_of(image.tags.begin(), image.tags.end(), [&](const std::string& tag) {
      return Repository(tag) == Repository(digest);
    });
  });
  return image.tags.empty() ? deletion.Delete() : Json(deletion.records);
}

}  // namespace

std::string Short(const std::string& id) {
  return id.substr(id.find(':') == std::string::npos ? 0 : id.find(':') + 1, 12);
}

std::string Familiar(std::string name) {
  for (const std::string_view start : {"docker.io/", "library/"}) {
    if (name.starts_with(start)) name.erase(0, start.size());
  }
  const auto slash = name.rfind('/');
  if (name.find('@') == std::string::npos &&
      name.find(':', slash == std::string::npos ? 0 : slash) == std::string::npos) {
    name += ":latest";
  }
  return name;
}

FakeEngineImage* Find(FakeEngineNode& node, const std::string& text) {
  for (auto& image : node.images) {
    if (image.id == text) return &image;
  }
  const std::string name = Familiar(text);
  for (auto& image : node.images) {
    if (Has(image.tags, name) || Has(image.digests, name)) return &image;
  }
  for (auto& image : node.images) {
    if (IsIdOf(image, text)) return &image;
  }
  return nullptr;
}

FakeEngineReply Json(const json& value, int status) {
  return {status, value.dump() + "\n"};
}

FakeEngineReply NoSuchImage(const std::string& text) {
  return FakeEngineReply::Failure(404, "No such image: " + Familiar(text));
}

FakeEngineReply Delete(FakeEngineNode& node, const std::string& text) {
  FakeEngineImage* image = Find(node, text);
  if (image == nullptr) return NoSuchImage(text);
  if (IsIdOf(*image, text)) return DeleteById({node, image});
  return node.containerd_store ? DeleteFromContainerd({node, image}, text)
                               : DeleteByName({node, image}, text);
}

FakeEngineReply Tag(FakeEngineNode& node, const std::string& text,
                    const FakeEngineRequest& request) {
  FakeEngineImage* image = Find(node, text);
  if (image == nullptr) return NoSuchImage(text);
  const auto at = [&](const char* key) {
    const auto found = request.query.find(key);
    return found == request.query.end() ? std::string() : found->second;
  };
  std::string name = at("repo");
  if (name.empty() || name.find('@') != std::string::npos) {
    return FakeEngineReply::Failure(400, "refusing to create a tag with a digest reference");
  }
  if (const std::string tag = at("tag"); !tag.empty()) name += ":" + tag;
  name = Familiar(name);
  for (auto& other : node.images) std::erase(other.tags, name);
  image->tags.push_back(name);
  return {201};
}

}  // namespace imagesweep::fake_docker
