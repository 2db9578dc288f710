#include "agent/gc/remove/evidence_gate.h"

#include <algorithm>

namespace imagesweep {
namespace {

constexpr std::size_t kMaxDrop = 20;
constexpr Millis kSecondViewAfter = std::chrono::seconds(60);

bool FellSharply(std::size_t before, std::size_t now) {
  return now < before && (before - now > kMaxDrop || (before - now) * 2 > before);
}

}  // namespace

std::optional<Refusal> EvidenceGate::Check(const Evidence& evidence, const ImageIndex& index,
                                           std::size_t referenced, SteadyTime now) {
  const EvidenceView view{evidence.images, index, evidence.use,
                          evidence.pods ? &*evidence.pods : nullptr};
  if (auto refusal = ValidateEvidence(view, expected_, now)) return refusal;
  if (auto refusal = CheckSources(evidence)) return refusal;
  return CheckDrop(referenced, now);
}

std::optional<Refusal> EvidenceGate::CheckSources(const Evidence& evidence) {
  Sources seen{evidence.runtime, {}, {}, {}};
  if (evidence.pods) {
    seen.node_name = evidence.pods->node_name;
    seen.node_uid = evidence.pods->node_uid;
    seen.cluster = evidence.pods->cluster;
  }
  if (!sources_ || *sources_ == seen) {
    sources_ = std::move(seen);
    return std::nullopt;
  }
  std::string what = "node or cluster";
  if (sources_->runtime.name != seen.runtime.name ||
      sources_->runtime.endpoint != seen.runtime.endpoint) {
    what = "runtime";
  } else if (sources_->runtime.version != seen.runtime.version) {
    what = "version of the runtime";
  } else if (sources_->runtime.socket_inode != seen.runtime.socket_inode) {
    what = "socket of the runtime (it restarted)";
  }
  sources_ = std::move(seen);
  good_referenced_.reset();
  drop_.reset();
  return Refusal{
      "identity",
      {ErrorKind::kIncomplete,
       "the " + what + " changed since the last run; the next run evaluates the node again"}};
}

std::optional<Refusal> EvidenceGate::CheckDrop(std::size_t referenced, SteadyTime now) {
  if (good_referenced_ && FellSharply(*good_referenced_, referenced)) {
    // A view with even fewer references is a new drop with its own waiting time.
    if (!drop_ || FellSharply(drop_->referenced, referenced)) drop_ = Drop{referenced, now};
    if (now - drop_->since < kSecondViewAfter) {
      return Refusal{
          "references",
          {ErrorKind::kIncomplete,
           "images in use fell from " + std::to_string(*good_referenced_) + " to " +
               std::to_string(referenced) +
               " since the last run; waiting for a second observation, 60s later, that confirms "
               "it"}};
    }
  }
  drop_.reset();
  good_referenced_ = referenced;
  return std::nullopt;
}

}  // namespace imagesweep
