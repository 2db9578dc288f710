#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/ports.h"

namespace imagesweep::containerd {

// One record of an image in containerd's own store: a name and the digest that it stands for.
struct Record {
  std::string name;
  std::string target;
  // RemoveImage does not reach it by this name; see layers::NameInCri.
  bool survives_remove_image = false;
};

// The records, as the removal of one image needs them.  One thread.
class RecordStore {
 public:
  virtual ~RecordStore() = default;
  // What the name stands for; empty: there is no such record.  Remembers all of it for Create.
  virtual Result<std::optional<std::string>> Read(const std::string& name) = 0;
  // kNotFound: it is gone already, or stands for something else.
  virtual Status Delete(const Record& record) = 0;
  // Makes the record again as Read last found it, under `name`.
  virtual Status Create(const std::string& of, const std::string& name) = 0;
};

// Deletes all records of one image; each only while it stands for the same digest.  The last one of
// each digest comes after all others, and the guard is asked right before it: until then every name
// can be made again, and is when the guard says no or a call fails.
Result<Removal> RemoveRecords(const std::vector<Record>& records, RecordStore& store,
                              DeletionGuard& guard);

// Makes the names again that are missing.  Empty: all are there, or stand for another image by now.
// Else which are not, and why.
std::string GiveBack(const std::vector<Record>& records, RecordStore& store);

}  // namespace imagesweep::containerd
