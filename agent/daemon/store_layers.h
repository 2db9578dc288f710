#pragma once

#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include "agent/base/clock.h"
#include "agent/imagestore/graph/graph_reader.h"
#include "agent/model/ports.h"

namespace imagesweep {

// The error of a source of figures: kNotFound unless it is kCancelled, because no run depends on
// figures.
Error NotKnown(Error error);

// Reads the layers of a runtime that does not report them, from the files of its store.  One thread
// at a time.
class StoreLayers final : public layers::LayerReader {
 public:
  struct Roots {
    std::string root;
    std::string run_root;  // of containers/storage, for what ends with the boot; empty: not known
    friend bool operator==(const Roots&, const Roots&) = default;
  };
  // Opens the store of the runtime, once for each of its roots.  `configs`: also the configs of
  // images, for the analysis.
  using Open =
      std::function<std::unique_ptr<layers::LayerReader>(const Roots& roots, bool configs)>;
  // The directories of the store, as this process sees them.  kNotFound: there is no such store.
  using FindRoots = std::function<Result<Roots>(const std::stop_token&)>;
  // kFigures: for sizes only.  kUse: the store also has containers that the runtime does not list.
  enum class Purpose { kFigures, kUse };

  StoreLayers(Purpose purpose, FindRoots find_roots, Open open)
      : purpose_(purpose), find_roots_(std::move(find_roots)), open_(std::move(open)) {}

  // kNotFound: there is no such store, or this process may not open it.  For kFigures, every other
  // failure is kNotFound too.
  Result<std::shared_ptr<const layers::LayerGraph>> Read(std::span<const Image> images,
                                                         const std::stop_token& stop) override;
  // The same with the configs of the images, for the analysis.
  Result<std::shared_ptr<const layers::LayerGraph>> ReadWithConfigs(std::span<const Image> images,
                                                                    const std::stop_token& stop);

  // The stores of CRI-O and of Docker.  `runtime` and `clock` must outlive the result.
  static std::unique_ptr<StoreLayers> OfCrio(RuntimeReader& runtime, const Clock& clock);
  static std::unique_ptr<StoreLayers> OfDocker(RuntimeReader& runtime, const Clock& clock);

 private:
  Error Told(Error error) const;

  const Purpose purpose_;
  const FindRoots find_roots_;
  const Open open_;
  Roots roots_;
  std::unique_ptr<layers::LayerReader> reader_;  // remembers the sizes of layers
};

}  // namespace imagesweep
