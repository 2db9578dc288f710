#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/ports.h"

namespace imagesweep::containerd {

// One record of an image in containerd's own store: a name and the digest that it refers to.
struct Record {
  std::string name;
  std::string target;
  // RemoveImage does not delete the record under this name, see layers::NameInCri.
  bool survives_remove_image = false;
};

// The operations on records that the removal of one image needs. Use it on one thread.
class RecordStore {
 public:
  virtual ~RecordStore() = default;
  // The digest that the name refers to. Empty: there is no such record. Remembers the record for
  // Create.
  virtual Result<std::optional<std::string>> Read(const std::string& name) = 0;
  // kNotFound: the record is already gone, or refers to another digest.
  virtual Status Delete(const Record& record) = 0;
  // Creates the record again as Read last found it, under `name`.
  virtual Status Create(const std::string& of, const std::string& name) = 0;
};

// Deletes all records of one image, each only while it refers to the same digest. The last record
// of each digest comes after all others. The guard is asked before the first deletion, and again
// right before each of these last records. Until then, every name can be created again. That
// happens if the guard refuses or a call fails.
Result<Removal> RemoveRecords(const std::vector<Record>& records, RecordStore& store,
                              DeletionGuard& guard);

// Creates the missing names again. Empty: all exist, or now refer to another image. Otherwise the
// names that are missing, and why.
std::string RestoreRecords(const std::vector<Record>& records, RecordStore& store);

}  // namespace imagesweep::containerd
