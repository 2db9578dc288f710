#pragma once

#include <string>
#include <vector>

#include "agent/base/clock.h"

namespace imagesweep {

// An event for `kubectl describe node`: one per run or change, never per image.
struct NodeEvent {
  bool warning = false;
  std::string reason;              // "ImagesRemoved"; at most 128 characters
  std::string action;              // the action of the agent: "RemoveImages"
  std::string note;                // message; made printable and cut at 1 kB when written
  bool only_when_changed = false;  // do not repeat the same note
  // Write it without waiting ten minutes since the previous event of its reason.
  bool at_once = false;
  // Reasons whose events no longer hold: events of these reasons that are not yet written are
  // dropped.
  std::vector<std::string> withdraws = {};
};

// One request to the API: a new event, or the continuation of a series.
struct NodeEventWrite {
  NodeEvent event;
  std::string name;  // name of the object, unique on the node
  SystemTime first;
  SystemTime last;
  int count = 1;
  bool exists = false;  // it already exists: only count and last change
};

}  // namespace imagesweep
