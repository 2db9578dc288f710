#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/state/history.h"
#include "agent/state/state_file.h"

namespace imagesweep {

// The tables of history.db, and entries in and out of them; each call within a transaction of
// StateFile's, whose exceptions they throw.

extern const StateFormat kHistoryFormat;

void PutRemoval(const Database& db, const RemovalEntry& removal);
// False when there is no such entry.
bool SettleRemoval(const Database& db, const std::string& run, const std::string& image_id,
                   bool removed);
std::vector<RemovalEntry> ReadRemovals(const Database& db, const std::string& run);

// `packed` takes the place of `entry.report`.
void PutRun(const Database& db, const RunEntry& entry, std::string_view packed, int limit);
std::vector<RunEntry> ReadRuns(const Database& db);
// At most two, so that the caller sees whether the id is unique; `report` is packed.
std::vector<RunEntry> FindRuns(const Database& db, const std::string& run);

}  // namespace imagesweep
