#include "agent/report/documents/text_parts.h"

#include <algorithm>
#include <map>

#include "agent/base/duration.h"
#include "agent/base/quantity.h"
#include "agent/report/documents/document.h"
#include "agent/report/render/printable.h"

namespace imagesweep {
namespace {

// "repo@sha256:d4ecc403849e": enough to tell two digests apart; -o name and -o json have all of it.
std::string ShortDigest(const ImageName& name) {
  constexpr std::size_t kShown = 12;
  const auto colon = name.text().rfind(':');
  return name.text().substr(0, colon + 1 + kShown);
}

}  // namespace

std::string ShortId(const ImageId& id) {
  std::string_view text = id.text();
  if (const auto colon = text.find(':'); colon != std::string_view::npos)
    text.remove_prefix(colon + 1);
  return std::string(text.substr(0, 12));
}

std::string NamesCell(const Image& image, const ShortNames& names) {
  if (image.tags.empty())
    return image.digests.empty() ? "<none>" : names.Of(ShortDigest(image.digests.front()));
  std::string cell;
  for (const ImageName& tag : image.tags) cell += (cell.empty() ? "" : ",") + names.Of(tag.text());
  return cell;
}

ShortNames NamesFor(const TextOptions& options, const Report& report) {
  return options.wide ? ShortNames::Full() : ShortNames(report.observation.images);
}

std::string AgeCell(const ImageAge& age) {
  return age.just_seen ? "just-seen" : HumanDuration(age.unused_for);
}

std::uint64_t SizeOf(const Report& report, const std::vector<ImagePos>& images) {
  std::uint64_t bytes = 0;
  for (const auto at : images) bytes += report.observation.images[at].size_bytes;
  return bytes;
}

std::string ImageCount(std::size_t count) {
  return document::Count(count, "image");
}

std::string Deferred(const Report& report) {
  std::map<std::string, std::vector<ImagePos>> waiting;
  for (const Decision& decision : report.plan.decisions)
    if (decision.verdict == Verdict::kDefer) waiting[decision.waits_for].push_back(decision.image);
  std::string text;
  for (const auto& [what, images] : waiting)
    text += "Deferred: " + ImageCount(images.size()) + " (" + HumanBytes(SizeOf(report, images)) +
            "): " + what + ".\n";
  return text;
}

std::string KeptByCode(const Report& report) {
  std::map<std::string_view, std::size_t> kept;
  for (const Decision& decision : report.plan.decisions)
    if (decision.verdict == Verdict::kKeep) ++kept[ToString(decision.code)];
  if (kept.empty()) return {};
  std::string text;
  for (const auto& [code, count] : kept)
    text += (text.empty() ? "Kept: " : ", ") + std::to_string(count) + " " + std::string(code);
  return text + "; `imagesweep plan -o wide` shows the reason for each.\n";
}

std::string Footer(const Report& report) {
  std::string text = "Policy: " + report.policy.description;
  if (!report.policy.sha256.empty()) text += " (sha256 " + report.policy.sha256 + ")";
  text += ". Evidence: ";
  if (report.evidence.without_kubernetes) {
    text +=
        "the runtime only, WITHOUT KUBERNETES: images that pods need but no container uses yet are "
        "not detected; ";
  } else {
    text += document::Count(report.evidence.pods, "pod") + " on node " + report.node + ", ";
  }
  text += document::Count(report.evidence.containers, "container");
  if (report.effective_policy.keep.workloads.enabled)
    text += ", " + document::Count(report.observation.workloads.size(), "image reference") +
            " of workloads";
  text += ".\n";
  if (report.effective_policy.suspend)
    text += "The policy is SUSPENDED: no image is removed while suspend is true.\n";
  for (const std::string& warning : report.warnings)
    text += "Warning: " + Printable(warning) + "\n";
  if (std::ranges::any_of(report.observation.ages, &ImageAge::just_seen)) {
    text +=
        "Note: ages of \"just-seen\" images start now, because their use before this run is not "
        "known.\n";
  }
  return text;
}

}  // namespace imagesweep
