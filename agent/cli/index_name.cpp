#include "agent/cli/index_name.h"

namespace imagesweep {

Result<kube::IndexName> IndexNameOf(const Options& options) {
  const std::string& text = options.index_name;
  const auto slash = text.find('/');
  const bool alone = slash == std::string::npos;
  kube::IndexName name{alone ? options.pod_namespace : text.substr(0, slash),
                       alone ? text : text.substr(slash + 1)};
  if (auto good = kube::CheckIndexName(name.name); !good) return good.error();
  if (name.name_space.empty())
    return Error{ErrorKind::kInvalid, "--index-name " + text +
                                          " requires a namespace: set POD_NAMESPACE from the "
                                          "downward API, or use --index-name=NAMESPACE/" +
                                          name.name};
  return name;
}

}  // namespace imagesweep
