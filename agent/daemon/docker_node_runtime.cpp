#include "agent/daemon/docker_node_runtime.h"

#include <utility>

#include "agent/daemon/engine_layers.h"
#include "agent/runtime/cri/repo_digests.h"
#include "agent/runtime/docker/build_reader.h"
#include "agent/runtime/docker/delete.h"
#include "agent/runtime/docker/event_watch.h"
#include "agent/runtime/docker/images.h"
#include "agent/runtime/docker/names.h"
#include "agent/runtime/docker/pull_evidence.h"
#include "agent/runtime/docker/runtime.h"
#include "agent/runtime/docker/transfer.h"

namespace imagesweep {
namespace {

constexpr Millis kTransferLimit = std::chrono::minutes(15);  // for one image

class DockerRestoreBackend final : public RestoreBackend {
 public:
  DockerRestoreBackend(const docker::Client& client, RuntimeReader& reader, cri::PullSecret secret)
      : client_(client), reader_(reader), secret_(std::move(secret)) {}

  Result<std::vector<Image>> ListImages(const std::stop_token& stop) override {
    return reader_.ListImages(stop);
  }

  Status Pull(const std::string& reference, const std::stop_token& stop) override {
    Status pulled = Done{};
    auto logins = secret_.For(ImageName::Parse(reference).repository());
    if (logins.empty()) logins.emplace_back();
    for (const cri::Credential& login : logins) {
      pulled =
          docker::Pull(client_, reference, {login.username, login.password}, kTransferLimit, stop);
      if (pulled || pulled.error().kind != ErrorKind::kDenied) return pulled;
    }
    return pulled;
  }

  bool makes_names() const override { return true; }

  Result<std::vector<std::string>> AddNames(const std::string& from,
                                            const std::vector<std::string>& names,
                                            const std::stop_token& stop) override {
    const auto image = docker::Inspect(client_, from, stop);
    if (!image) return image.error();
    if (!*image) return Error{ErrorKind::kNotFound, from + ": Docker no longer has it"};
    std::vector<std::string> notes = AddTags((*image)->id, names, stop);
    for (const std::string& name : names) {
      if (ImageName::Parse(name).digest().empty()) continue;
      // Docker 29 has it with a tag of its repository. On 20.10, only a pull makes it.
      const auto there = docker::Inspect(client_, name, stop);
      if (!there) return there.error();
      if (*there) continue;
      if (auto pulled = Pull(name, stop); !pulled)
        notes.push_back(name + ": " + pulled.error().what);
    }
    return notes;
  }

  Result<std::vector<std::string>> Import(const std::string& archive, const std::string& id,
                                          const std::vector<std::string>& names,
                                          const std::stop_token& stop) override {
    if (auto loaded = docker::Load(client_, archive, id, names, kTransferLimit, stop); !loaded)
      return std::move(loaded).error();
    return AddTags(id, names, stop);
  }

 private:
  std::vector<std::string> AddTags(const std::string& id, const std::vector<std::string>& names,
                                   const std::stop_token& stop) {
    std::vector<std::string> notes;
    for (const std::string& name : names) {
      if (!ImageName::Parse(name).digest().empty()) continue;
      if (auto added = docker::AddName(client_, id, name, stop); !added)
        notes.push_back(name + ": " + added.error().what);
    }
    return notes;
  }

  const docker::Client& client_;
  RuntimeReader& reader_;
  const cri::PullSecret secret_;
};

class DockerNodeRuntime final : public NodeRuntime {
 public:
  DockerNodeRuntime(std::unique_ptr<docker::Client> client, const Clock& clock)
      : client_(std::move(client)),
        clock_(clock),
        reader_(*client_),
        remover_(*client_),
        name_restorer_(*client_),
        pulls_(*client_),
        builds_(*client_),
        layers_(reader_, client_->path(), clock) {}

  RuntimeReader& reader() override { return reader_; }
  ImageRemover& remover() override { return remover_; }
  NameRestorer& name_restorer() override { return name_restorer_; }
  std::vector<OriginSource*> origin_sources() override { return {&pulls_, &digests_}; }
  BuildReader& builds() override { return builds_; }

  std::unique_ptr<ImageArchiver> MakeArchiver(const Archive& archive) override {
    return std::make_unique<docker::EngineArchiver>(
        *client_, docker::EngineArchiver::Options{archive.path, archive.max_size});
  }

  std::unique_ptr<UseSource> WatchUses(UseSource::Hooks hooks) override {
    return std::make_unique<docker::EventWatch>(*client_, clock_, std::move(hooks));
  }

  layers::LayerReader* layers() override { return &layers_; }
  Result<std::shared_ptr<const layers::LayerGraph>> ReadLayers(
      std::span<const Image> images, bool configs, const std::stop_token& stop) override {
    return configs ? layers_.ReadWithConfigs(images, stop) : layers_.Read(images, stop);
  }

  Result<std::vector<std::vector<std::string>>> ReadDiffIds(std::span<const Image> images,
                                                            const std::stop_token& stop) override {
    std::vector<std::vector<std::string>> diff_ids;
    diff_ids.reserve(images.size());
    for (const Image& image : images) {
      auto layers = reader_.DiffIds(image.id, stop);
      if (!layers) return std::move(layers).error();
      diff_ids.push_back(*std::move(layers));
    }
    return diff_ids;
  }

  Result<std::unique_ptr<RestoreBackend>> OpenRestore(cri::PullSecret secret,
                                                      const std::stop_token&) override {
    return std::unique_ptr<RestoreBackend>(
        std::make_unique<DockerRestoreBackend>(*client_, reader_, std::move(secret)));
  }

 private:
  const std::unique_ptr<docker::Client> client_;
  const Clock& clock_;
  docker::Runtime reader_;
  docker::EngineImageRemover remover_;
  docker::EngineNameRestorer name_restorer_;
  docker::PullEvidence pulls_;
  docker::EngineBuildReader builds_;
  EngineLayers layers_;
  cri::RepoDigests digests_;
};

}  // namespace

std::unique_ptr<NodeRuntime> MakeDockerNodeRuntime(std::unique_ptr<docker::Client> client,
                                                   const Clock& clock) {
  return std::make_unique<DockerNodeRuntime>(std::move(client), clock);
}

}  // namespace imagesweep
