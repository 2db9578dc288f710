#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/model/report.h"
#include "agent/report/documents/short_names.h"
#include "agent/report/documents/text.h"

namespace imagesweep {

// Common parts of the tables and closing lines of images, plans, and runs.

std::string ShortId(const ImageId& id);  // "3f8a7c2b1e9d"
// All tags in one cell, so that aliases are visible.  Without a tag, the shortened digest:
// "repo@sha256:d4ecc403849e".
std::string NamesCell(const Image& image, const ShortNames& names = ShortNames::Full());
// The names for a table about this node.
ShortNames NamesFor(const TextOptions& options, const Report& report);
std::string AgeCell(const ImageAge& age);

// By the runtime's sizes.
std::uint64_t SizeOf(const Report& report, const std::vector<ImagePos>& images);
std::string ImageCount(std::size_t count);  // "1 image"
// Deferred removals, by reason.
std::string Deferred(const Report& report);
// Kept images, by code: "Kept: 3 InUse, 11 TooYoung; …".
std::string KeptByCode(const Report& report);
// Policy, evidence, warnings and notes.
std::string Footer(const Report& report);

}  // namespace imagesweep
