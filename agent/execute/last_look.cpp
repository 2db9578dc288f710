#include "agent/execute/last_look.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>

namespace imagesweep {
namespace {

bool SameNames(const Image& a, const Image& b) {
  const auto same = [](std::vector<ImageName> left, std::vector<ImageName> right) {
    std::ranges::sort(left);
    std::ranges::sort(right);
    return left == right;
  };
  return same(a.tags, b.tags) && same(a.digests, b.digests);
}

// Is it still the image that the plan meant?  Empty: yes.
std::string Changed(const Image& planned, const Image* now) {
  if (now == nullptr) return "it is gone already";
  if (now->pinned) return "the runtime has pinned it since the plan was made";
  if (!SameNames(planned, *now)) return "its names changed since the plan was made";
  return {};
}

}  // namespace

// The images that are looked at, planned in one view of the node.
class LastLook::Subject {
 public:
  Subject(const std::vector<std::uint32_t>& planned, bool list_all, const Evidence& read,
          const ImageIndex& of_images)
      : evidence(read),
        index(of_images),
        looked{{}, {}, std::vector<std::string>(planned.size())},
        planned_(planned),
        list_all_(list_all) {}

  // Spares what is not as it was planned.  Not the last word: containers are read right after this.
  std::optional<Refusal> Compare(RuntimeReader& runtime, const std::stop_token& stop) {
    if (planned_.size() == 1 && !list_all_) return CompareOne(runtime, stop);
    auto images = runtime.ListImages(stop);
    if (!images) return Refusal{"images", std::move(images).error()};
    std::unordered_map<std::string_view, const Image*> by_id;
    for (const Image& image : *images) by_id.emplace(image.id.text(), &image);
    for (std::size_t i = 0; i < planned_.size(); ++i) {
      const auto it = by_id.find(image(i).id.text());
      SpareOne(i, Changed(image(i), it == by_id.end() ? nullptr : it->second));
    }
    looked.listed = *std::move(images);
    return std::nullopt;
  }

  // Whom `reference` means stays, because of `why()`.
  template <typename Why>
  void Spare(const ImageReference& reference, const Why& why) {
    for (const auto at : index.Resolve(reference))
      for (std::size_t i = 0; i < planned_.size(); ++i)
        if (image(i).id == evidence.images[at].id && looked.spared[i].empty())
          looked.spared[i] = why();
  }

  const Evidence& evidence;
  const ImageIndex& index;
  Looked looked;

 private:
  const Image& image(std::size_t i) const { return evidence.images[planned_[i]]; }

  // The first reason counts; empty: there is none.
  void SpareOne(std::size_t i, std::string why) {
    if (looked.spared[i].empty()) looked.spared[i] = std::move(why);
  }

  std::optional<Refusal> CompareOne(RuntimeReader& runtime, const std::stop_token& stop) {
    auto status = runtime.ImageStatus(image(0).id, stop);
    if (!status) return Refusal{"images", std::move(status).error()};
    if (*status && (*status)->id != image(0).id)
      return Refusal{
          "images",
          {ErrorKind::kIncomplete, "asked for " + image(0).id.text() +
                                       ", the runtime answered with " + (*status)->id.text()}};
    SpareOne(0, Changed(image(0), *status ? &**status : nullptr));
    return std::nullopt;
  }

  const std::vector<std::uint32_t>& planned_;
  const bool list_all_;
};

// The plan judged those it knew; what it did not know holds whatever the policy makes of it.
std::optional<Refusal> LastLook::LookAtWorkloads(Subject& subject, const std::stop_token& stop) {
  if (!subject.evidence.workloads) return std::nullopt;
  if (workloads_ == nullptr)
    return Refusal{"workloads", {ErrorKind::kInternal, "nothing reads them any more"}};
  const auto now = workloads_->Read(subject.evidence.workloads->as_of, stop);
  if (!now) return Refusal{"workloads", now.error()};
  std::vector<WorkloadReference> added;
  std::ranges::set_difference(now->references, subject.evidence.workloads->references,
                              std::back_inserter(added));
  for (const WorkloadReference& reference : added)
    subject.Spare({reference.text, {}, {}},
                  [&] { return "came to be wanted by " + Describe(reference); });
  return std::nullopt;
}

std::variant<SteadyTime, Refusal> LastLook::LookAtUse(Subject& subject,
                                                      const std::stop_token& stop) {
  // Twice at most: a pod that started since the last list makes the first view contradictory, and a
  // new list clears that up.
  // A list that is about to be too old would be read anew at the end, when nobody may wait any
  // more.
  Millis max_age = expected_.max_pod_list_age / 2;
  for (bool again = false;; again = true) {
    // New lists may take their time, so they come before the images and the containers, and the
    // watch after them.  Of pods there is a second one: of workloads the list is the last word.
    std::optional<PodEvidence> pods;
    if (auto read = ReadPods(max_age, pods, stop); !read)
      return Refusal{"pods", std::move(read).error()};
    if (auto refusal = LookAtWorkloads(subject, stop)) return *std::move(refusal);
    if (subject.evidence.workloads)  // which may have taken their time
      if (auto read = ReadPods(max_age, pods, stop); !read)
        return Refusal{"pods", std::move(read).error()};
    if (auto refusal = subject.Compare(runtime_, stop)) return *std::move(refusal);
    if (std::ranges::none_of(subject.looked.spared, &std::string::empty)) return SteadyTime{};
    const auto use = runtime_.ReadUse(stop);
    if (!use) return Refusal{"containers", use.error()};
    const SteadyTime looked_at = clock_.Steady();
    if (auto read = ReadPods(expected_.max_pod_list_age, pods, stop); !read)
      return Refusal{"pods", std::move(read).error()};

    const auto in_use = [](const ImageReference& reference) {
      return [&reference] { return "came into use by " + Describe(reference.by); };
    };
    if (pods)
      for (const ImageReference& reference : pods->references)
        subject.Spare(reference, in_use(reference));
    for (const ImageReference& reference : use->references)
      subject.Spare(reference, in_use(reference));
    for (const std::string& text : use->sandbox_images)
      subject.Spare({text, {}, {}}, [] { return "it became the pause image"; });

    const View view{subject.evidence.images, subject.index, *use, pods ? &*pods : nullptr};
    if (auto refusal = Examine(view, expected_, clock_.Steady())) {
      if (again || pods_ == nullptr) return *std::move(refusal);
      max_age = Millis::zero();
      continue;
    }
    return looked_at;
  }
}

LookResult LastLook::Look(const std::vector<std::uint32_t>& planned, bool list_all,
                          const Evidence& evidence, const ImageIndex& index,
                          const std::stop_token& stop) {
  Subject subject(planned, list_all, evidence, index);
  auto use = LookAtUse(subject, stop);
  if (auto* refusal = std::get_if<Refusal>(&use)) return std::move(*refusal);
  subject.looked.at = std::get<SteadyTime>(use);
  return std::move(subject.looked);
}

Status LastLook::ReadPods(Millis max_age, std::optional<PodEvidence>& into,
                          const std::stop_token& stop) {
  if (pods_ == nullptr) return Done{};
  auto pods = pods_->Read(max_age, stop);
  if (!pods) return std::move(pods).error();
  into = *std::move(pods);
  return Done{};
}

}  // namespace imagesweep
