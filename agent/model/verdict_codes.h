#pragma once

#include <array>
#include <span>
#include <string_view>

#include "agent/model/plan.h"

namespace imagesweep {

// What the program says about one code.  Texts that depend on the policy, the rule, or the image
// are not here: the evidence is in VerdictRules(), and Explain() completes `to_change`.
struct VerdictCode {
  Code code;
  Verdict verdict;           // each image with this code has it
  std::string_view name;     // "InUse"
  std::string_view state;    // one of kImageStates
  std::string_view held_by;  // "minimumAge", of several images
  // What would change the verdict.  Empty if it always depends on the policy or the image.
  std::string_view to_change = {};

  // For each code that removes, and only for these.
  std::string_view removal_reason = {};  // one of kRemovalReasons
  std::string_view keep_longer = {};     // the policy change that keeps such an image

  // For a policy that keeps images that nothing needs: FindHeldBack() lists them.
  std::string_view held_back_as = {};  // "Too young"
  std::string_view release = {};       // the instruction that lets them go, with the flag or field

  // The next step for an operator: "1 image (1KiB)" + verb + advice.
  std::string_view verb_of_one = {};
  std::string_view verb_of_many = {};
  std::string_view advice = {};
};

// One row for each code, in the order of Code.
std::span<const VerdictCode> VerdictCodes();

const VerdictCode& RowOf(Code code);

// Null for a name that this version does not have: the history keeps names of older versions.
const VerdictCode* FindVerdictCode(std::string_view name);

// The states of images in metrics and in `imagesweep watch`, in the order of the output.  Every
// image has exactly one.
inline constexpr std::array kImageStates{"in_use",    "pinned", "sandbox",  "kept",
                                         "too_young", "idle",   "candidate"};

// The reasons of removals in metrics and events, in the order of the output.  The kubelet uses
// "age" and "space" for its image garbage collection.
// Source: k8s.io/kubernetes, pkg/kubelet/metrics (kubelet_image_garbage_collected_total).
inline constexpr std::array kRemovalReasons{"age",        "rule",  "dangling",
                                            "superseded", "space", "critical"};

}  // namespace imagesweep
