#pragma once

#include <string>
#include <utility>

#include "agent/model/plan.h"
#include "tests/support/images.h"

namespace imagesweep {

// Builds an observation image by image, so that the ages are parallel to the images.
class ObservationBuilder {
 public:
  // Later than every first observation in the tests.
  ObservationBuilder() { seen_.at = SystemTime(std::chrono::hours(24 * 365)); }
  ObservationBuilder& Add(Image image, Millis unused_for = std::chrono::hours(1000),
                          bool once_used = false) {
    seen_.images.push_back(std::move(image));
    ImageAge age;
    age.unused_for = age.watched_unused_for = unused_for;
    age.first_seen = SystemTime(Millis(1));
    if (once_used) age.last_used = SystemTime(Millis(2));
    seen_.ages.push_back(age);
    return *this;
  }
  ObservationBuilder& Use(std::string text,
                          ImageUser by = {ImageUserKind::kPod, "shop", "api", "web"}) {
    seen_.references.push_back({std::move(text), {}, std::move(by)});
    return *this;
  }
  ObservationBuilder& Disk(std::uint64_t capacity, std::uint64_t available) {
    seen_.disk = DiskUsage{"/", capacity, available, 1000, 500};
    return *this;
  }
  Observation& seen() { return seen_; }

 private:
  Observation seen_;
};

}  // namespace imagesweep
