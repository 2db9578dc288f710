#pragma once

#include <string_view>

#include "agent/gc/plan/version.h"

namespace imagesweep {

// Parts that vary within a scheme, as characters that no tag contains.
struct SchemePart {
  static constexpr char kNumber = '\1', kCommit = '\2', kYear = '\3', kIsoDate = '\4',
                        kIsoTime = '\5', kCompactDate = '\6', kCompactMinute = '\7',
                        kCompactSecond = '\x0E', kCompactTime = '\x0F', kAnyWords = '\x10';
};

// Reads a tag part by part, from left to right. Does not know signatures and ambiguous dates.
TagVersion ReadParts(std::string_view tag);

}  // namespace imagesweep
