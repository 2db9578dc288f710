#pragma once

#include <filesystem>
#include <string>

namespace imagesweep {

// Returns the ID of the operating system below `root` (etc/machine-id, which systemd creates): 32
// hexadecimal digits.  Empty if it is missing or invalid, for example before the first boot.
std::string ReadMachineId(const std::filesystem::path& root);

}  // namespace imagesweep
