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

// Brings images back into containerd.  Any thread, several at once.
class Importer {
 public:
  // `clock` must outlive it.
  Importer(const std::shared_ptr<grpc::Channel>& channel, const Clock& clock,
           ImportOptions options = {});
  ~Importer();

  // The image out of an archive, with all names that it has there; returns what there is to know of
  // names that it did not get.  The file is read to its end before containerd is told anything, and
  // it has a name only when all of its blobs are there: an import that fails leaves nothing that
  // the garbage collector would not take.  kInvalid: the archive is damaged, is of another image, or
  // gives the image, or any other, a name that is not among `names`.
  Result<std::vector<std::string>> Import(const std::filesystem::path& path,
                                          const std::string& image_id,
                                          const std::vector<std::string>& names,
                                          const std::stop_token& stop);

  // Gives further names to the image that has `from`; returns what there is to know, as above.
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
