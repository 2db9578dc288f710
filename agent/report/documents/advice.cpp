#include "agent/report/documents/advice.h"

#include <algorithm>
#include <functional>

#include "agent/base/duration.h"
#include "agent/base/quantity.h"
#include "agent/model/verdict_codes.h"
#include "agent/report/documents/text.h"

namespace imagesweep {
namespace {

struct Group {
  std::size_t images = 0;
  std::uint64_t bytes = 0;
  std::string Text() const {
    return std::to_string(images) + (images == 1 ? " image (" : " images (") + HumanBytes(bytes) +
           ")";
  }
  // "1 image (1KiB) waits", "2 images (2KiB) wait"
  std::string Text(std::string_view verb_of_one, std::string_view verb_of_many) const {
    return Text() + " " + std::string(images == 1 ? verb_of_one : verb_of_many);
  }
  // With the advice on images with this code.
  std::string Text(const VerdictCode& code) const {
    return Text(code.verb_of_one, code.verb_of_many) + " " + std::string(code.advice);
  }
};

Group Of(const Report& report, const std::function<bool(const Decision&, const Image&)>& belongs) {
  Group group;
  for (const Decision& decision : report.plan.decisions) {
    const Image& image = report.observation.images[decision.image];
    if (!belongs(decision, image)) continue;
    ++group.images;
    group.bytes += image.size_bytes;
  }
  return group;
}

Millis FirstOldEnough(const Report& report) {
  Millis first = Millis::max();
  for (const Decision& decision : report.plan.decisions)
    if (decision.code == Code::kTooYoung) first = std::min(first, decision.old_enough_in);
  return first;
}

}  // namespace

std::vector<std::string> Advice(const Report& report) {
  std::vector<std::string> advice;
  if (report.refused) {
    advice.push_back("The run aborted: " + CannotRead(report.refused->source) +
                     ". No image is removed until this is fixed; see the error above.");
    return advice;
  }
  const auto with = [&](Code code) {
    return Of(report, [code](const Decision& d, const Image&) { return d.code == code; });
  };
  if (const Group go =
          Of(report, [](const Decision& d, const Image&) { return d.verdict == Verdict::kRemove; });
      report.dry_run && go.images > 0)
    advice.push_back("This was a dry run. To remove " + go.Text() +
                     (report.effective_policy.dry_run
                          ? ", set dryRun: false in the policy."
                          : ", run `imagesweep sweep --dry-run=false`."));
  const auto deferred = [&](bool available) {
    return Of(report, [&, available](const Decision& d, const Image&) {
      return d.code == Code::kLimit &&
             report.observation.WhyUnavailable(d.image).empty() == available;
    });
  };
  if (const Group waiting = deferred(true); waiting.images > 0)
    advice.push_back(waiting.Text(RowOf(Code::kLimit)));
  if (const Group waiting = deferred(false); waiting.images > 0)
    advice.push_back(waiting.Text("cannot", "cannot") +
                     " be removed now because the last attempt failed; the reason of each image "
                     "shows the error.");
  if (const Group waiting = with(Code::kWindow); waiting.images > 0)
    advice.push_back(waiting.Text(RowOf(Code::kWindow)));
  if (const Group local = with(Code::kLocalOnly); local.images > 0)
    advice.push_back(local.Text(RowOf(Code::kLocalOnly)));
  if (const Group young = with(Code::kTooYoung); young.images > 0)
    advice.push_back(young.Text(RowOf(Code::kTooYoung)) + "; " +
                     (young.images == 1 ? "it" : "the first") + " is old enough in " +
                     HumanDuration(FirstOldEnough(report)) + ", if nothing uses it until then.");
  const Group latest = Of(report, [](const Decision& d, const Image& image) {
    return d.code == Code::kInUse && image.tags.size() == 1 && image.tags[0].tag() == "latest";
  });
  if (latest.images > 0)
    advice.push_back(latest.Text("in use has", "in use have") +
                     " only the tag latest. Use tags with versions, so that superseded images can "
                     "be found.");
  if (!report.oversized.empty())
    advice.push_back(std::to_string(report.oversized.size()) +
                     (report.oversized.size() == 1 ? " image is" : " images are") +
                     " over its size limit.");
  return advice;
}

}  // namespace imagesweep
