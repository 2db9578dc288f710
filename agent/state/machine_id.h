#pragma once

#include <filesystem>
#include <string>

namespace imagesweep {

// The id of the operating system below `root` (etc/machine-id, as systemd makes it): 32 hexadecimal
// digits.  Empty when there is none or it is not one, such as on a system that was never started.
std::string ReadMachineId(const std::filesystem::path& root);

}  // namespace imagesweep
