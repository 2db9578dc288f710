#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/model/report.h"

namespace imagesweep {

// What the tables and closing lines of images, plans and runs have in common.

std::string ShortId(const ImageId& id);  // "3f8a7c2b1e9d"
// All tags in one cell, so that an alias is seen; the id column tells twins apart.  Without a tag
// its digest, shortened: "repo@sha256:d4ecc403849e".
std::string NamesCell(const Image& image);
std::string AgeCell(const ImageAge& age);

// By the runtime's sizes.
std::uint64_t SizeOf(const Report& report, const std::vector<std::uint32_t>& images);
std::string ImageCount(std::size_t count);  // "1 image"
// What is to go later, and why not now.
std::string Deferred(const Report& report);
// What stays, by the codes of the decisions: "Kept: 3 InUse, 11 TooYoung; …".
std::string KeptByCode(const Report& report);
// Policy, evidence, warnings and notes.
std::string Footer(const Report& report);

}  // namespace imagesweep
