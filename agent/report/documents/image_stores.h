#pragma once

#include <span>
#include <string>

#include "agent/model/image_stores.h"
#include "agent/report/render/page.h"

namespace imagesweep {

// A report on several image stores of one machine: each store with its images and the containers
// that use them, the figures of all stores together, and the images that several of them hold.  A
// store that cannot be read is part of the report, which then has no figures about all stores.
struct StoresReport {
  std::string node;
  SystemTime observed_at;
  std::vector<StoreReading> stores;  // in the order of the command line
};

// Full: with all names, not short ones.
Page MakeStoresPage(const StoresReport& report, bool full = true);
std::string StoresJson(const StoresReport& report);  // kind ImageStores

}  // namespace imagesweep
