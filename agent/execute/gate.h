#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "agent/execute/examine.h"
#include "agent/model/evidence.h"

namespace imagesweep {

// The deletion gate: no batch starts unless it lets it.  On top of Examine(), which looks at one
// view alone, it remembers the last good view:
//   - the same sources answered (node, cluster, runtime name, version, socket); a change costs one
//     whole evaluation, from which the new sources are the known ones;
//   - the number of referenced images did not fall by more than half or by more than 20; else a
//     second view that agrees, at least 60 s later, is waited for.
// One per process; not for several threads.
class Gate {
 public:
  explicit Gate(Expectations expected) : expected_(std::move(expected)) {}

  // `referenced` is the number of listed images that some reference means.
  std::optional<Refusal> Check(const Evidence& evidence, const ImageIndex& index,
                               std::size_t referenced, SteadyTime now);

  const Expectations& expected() const { return expected_; }

 private:
  struct Sources {
    RuntimeIdentity runtime;
    std::string node_name, node_uid, cluster;
    bool operator==(const Sources&) const = default;
  };
  std::optional<Refusal> CheckSources(const Evidence& evidence);
  std::optional<Refusal> CheckDrop(std::size_t referenced, SteadyTime now);

  Expectations expected_;
  std::optional<Sources> sources_;
  std::optional<std::size_t> good_referenced_;
  struct Drop {
    std::size_t referenced;
    SteadyTime since;
  };
  std::optional<Drop> drop_;
};

}  // namespace imagesweep
