#pragma once

#include <containerd/images.grpc.pb.h>
#include <grpcpp/grpcpp.h>

#include <map>
#include <stop_token>
#include <string>

#include "agent/base/clock.h"
#include "agent/runtime/containerd/metadata_reader.h"
#include "agent/runtime/containerd/record_removal.h"
#include "agent/runtime/containerd/stubs.h"

namespace imagesweep::containerd {

// The records of containerd's image service. The call that deletes is in delete.cpp.
class ImageRecords : public RecordStore {
 public:
  struct Options {
    std::string cri_namespace;
    Millis timeout{0};
  };
  // `stubs` must outlive this object. `stop` cancels reading and deleting, but not the creation of
  // records that must be restored.
  ImageRecords(MetadataReader::Stubs& stubs, Options options, std::stop_token stop)
      : stubs_(stubs), options_(std::move(options)), stop_(std::move(stop)) {}

  Result<std::optional<std::string>> Read(const std::string& name) override;
  Status Delete(const Record& record) override;
  Status Create(const std::string& of, const std::string& name) override;

  // Waits until containerd's CRI has seen the record and labeled it, but for a limited time.
  void AwaitCri(const std::string& name, const Clock& clock);
  // Whether a record was deleted or may have been, so that there may be garbage.
  bool deleted() const { return deleted_; }

 private:
  MetadataReader::Stubs& stubs_;
  const Options options_;
  const std::stop_token stop_;
  std::map<std::string, api::images::Image> read_;  // by name
  bool deleted_ = false;
};

}  // namespace imagesweep::containerd
