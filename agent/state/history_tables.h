#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/state/history.h"
#include "agent/state/state_file.h"

namespace imagesweep {

// Reads and writes the tables of history.db.  Call these functions within a transaction of
// StateFile. They throw its exceptions.

extern const StateFormat kHistoryFormat;

void PutRemoval(const Database& db, const RemovalEntry& removal);
// Returns false if there is no such entry.
bool SettleRemoval(const Database& db, const std::string& run, const std::string& image_id,
                   bool removed);
std::vector<RemovalEntry> ReadRemovals(const Database& db, const std::string& run);

// `packed` replaces `entry.report`.
void PutRun(const Database& db, const RunEntry& entry, std::string_view packed, int limit);
std::vector<RunEntry> ReadRuns(const Database& db);
// Returns at most two, so that the caller sees whether the ID is unique.  `report` is packed.
std::vector<RunEntry> FindRuns(const Database& db, const std::string& run);

}  // namespace imagesweep
