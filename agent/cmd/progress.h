#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "agent/gc/remove/executor.h"

namespace imagesweep {

// Prints the progress of a run to stderr, so that stdout has only the result: a bar on a terminal,
// otherwise one line per image.
class Progress {
 public:
  // `bar`: stderr is a terminal.
  explicit Progress(bool bar) : bar_(bar) {}
  ~Progress();

  // Sets on_begin and on_outcome.  The progress must outlive the run.
  void Watch(Executor::Hooks& hooks);

 private:
  void Show(const Outcome& outcome, const Image& image);

  const bool bar_;
  bool shown_ = false;
  std::size_t all_ = 0, done_ = 0;
  std::uint64_t all_bytes_ = 0, done_bytes_ = 0;
};

// "[#####---------------]  12/48 images  1.2GiB/4.0GiB  docker.io/library/nginx:1.25", at most
// `width` columns.
std::string ProgressBar(std::size_t done, std::size_t all, std::uint64_t done_bytes,
                        std::uint64_t all_bytes, const std::string& image, std::size_t width);

}  // namespace imagesweep
