#include "agent/state/machine_id.h"

#include <algorithm>
#include <cctype>
#include <fstream>

namespace imagesweep {

std::string ReadMachineId(const std::filesystem::path& root) {
  std::ifstream file(root / "etc" / "machine-id");
  std::string id;
  std::getline(file, id);
  const bool digits =
      std::ranges::all_of(id, [](unsigned char c) { return std::isxdigit(c) != 0; });
  const bool is_one = id.size() == 32 && digits && id.find_first_not_of('0') != std::string::npos;
  return is_one ? id : std::string();
}

}  // namespace imagesweep
