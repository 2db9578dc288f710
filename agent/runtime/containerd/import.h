#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/result.h"

namespace grpc {
class Channel;
}

namespace imagesweep::containerd {

struct ImportOptions {
  std::string cri_namespace = "k8s.io";
  Millis timeout = std::chrono::minutes(15);  // for one image
};

// Imports images into containerd. Thread-safe; imports may run in parallel.
class Importer {
 public:
  // `clock` must outlive this object.
  Importer(const std::shared_ptr<grpc::Channel>& channel, const Clock& clock,
           ImportOptions options = {});
  ~Importer();

  // Imports the image in an archive with all names that it has there. Returns notes about names
  // that it did not get. The file is read completely before the first call to containerd, and the
  // image gets a name only when all of its blobs exist. So a failed import leaves nothing that the
  // garbage collector would not delete. kInvalid: the archive is damaged, contains another image,
  // or gives any image a name that is not in `names`.
  Result<std::vector<std::string>> Import(const std::filesystem::path& path,
                                          const std::string& image_id,
                                          const std::vector<std::string>& names,
                                          const std::stop_token& stop);

  // Gives more names to the image with the name `from`. Returns notes as above.
  Result<std::vector<std::string>> AddNames(const std::string& from,
                                            const std::vector<std::string>& names,
                                            const std::stop_token& stop);

 private:
  struct Stubs;
  const Clock& clock_;
  const ImportOptions options_;
  const std::unique_ptr<Stubs> stubs_;
};

}  // namespace imagesweep::containerd
