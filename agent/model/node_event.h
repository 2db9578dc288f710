#pragma once

#include <string>
#include <vector>

#include "agent/base/clock.h"

namespace imagesweep {

// Something that belongs into `kubectl describe node`: one per run or change, never per image.
struct NodeEvent {
  bool warning = false;
  std::string reason;  // "ImagesRemoved"; at most 128 characters
  std::string action;  // "RemoveImages"; what was being done
  std::string note;    // for people; made printable and cut at 1 kB when written
  bool only_when_changed = false;  // the same note again is no news
  // It does not wait until ten minutes have passed since the last event of its reason.
  bool at_once = false;
  // Reasons of events that no longer hold: those that are not written yet are dropped.
  std::vector<std::string> withdraws = {};
};

// One request to the API: a new event, or one that is there and goes on as a series.
struct NodeEventWrite {
  NodeEvent event;
  std::string name;  // of the object; unique on the node
  SystemTime first;
  SystemTime last;
  int count = 1;
  bool exists = false;  // it was written before: only count and last are new
};

}  // namespace imagesweep
