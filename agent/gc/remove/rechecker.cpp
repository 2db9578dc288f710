#include "agent/gc/remove/rechecker.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>

#include "agent/model/template_images.h"

namespace imagesweep {
namespace {

// Without a watch, a batch that takes longer lists the pods again.
constexpr Millis kMaxUnwatchedPodListAge{2'000};

bool SameNames(const Image& a, const Image& b) {
  const auto same = [](std::vector<ImageName> left, std::vector<ImageName> right) {
    std::ranges::sort(left);
    std::ranges::sort(right);
    return left == right;
  };
  return same(a.tags, b.tags) && same(a.digests, b.digests);
}

bool HasNoOtherNames(const Image& planned, const Image& now) {
  const auto all = [](const std::vector<ImageName>& names, const std::vector<ImageName>& known) {
    return std::ranges::all_of(names, [&](const ImageName& name) {
      return std::ranges::find(known, name) != known.end();
    });
  };
  return all(now.tags, planned.tags) && all(now.digests, planned.digests);
}

// Why the image is no longer the one of the plan.  Empty: it is.  After its removal has begun, it
// may have fewer names.
std::string Changed(const Image& planned, const Image* now, bool begun) {
  if (now == nullptr) return "it no longer exists";
  if (now->pinned) return "the runtime pinned it after the plan was made";
  if (begun ? !HasNoOtherNames(planned, *now) : !SameNames(planned, *now))
    return "its names changed since the plan was made";
  return {};
}

}  // namespace

// The images of the recheck.
class Rechecker::RecheckedImages {
 public:
  RecheckedImages(const RecheckRequest& asked, const Evidence& read, const ImageIndex& of_images)
      : evidence(read),
        index(of_images),
        result{{}, {}, {}, std::vector<std::string>(asked.planned.size())},
        asked_(asked) {}

  // Skips images that changed since the plan.  Containers are read right after this.
  std::optional<Refusal> Compare(RuntimeReader& runtime, const std::stop_token& stop) {
    // Of an image that lost its tag, CRI-O lists the last repository with the digest, which its
    // ImageStatus leaves out (server/image_list.go, ConvertImage).
    const bool read_one = asked_.planned.size() == 1 && !asked_.list_all && !image(0).tags.empty();
    if (read_one) return CompareOne(runtime, stop);
    auto images = runtime.ListImages(stop);
    if (!images) return Refusal{"images", std::move(images).error()};
    std::unordered_map<std::string_view, const Image*> by_id;
    for (const Image& image : *images) by_id.emplace(image.id.text(), &image);
    for (std::size_t i = 0; i < asked_.planned.size(); ++i) {
      const auto it = by_id.find(image(i).id.text());
      SkipOne(i, Changed(image(i), it == by_id.end() ? nullptr : it->second, begun(i)));
    }
    result.listed = *std::move(images);
    return std::nullopt;
  }

  // Skips all images that `reference` resolves to, with the reason `why()`.
  template <typename Why>
  void Skip(const ImageReference& reference, const Why& why) {
    Skip(index.Resolve(reference), why);
  }
  template <typename Why>
  void Skip(const std::vector<ImagePos>& found, const Why& why) {
    for (const auto at : found)
      for (std::size_t i = 0; i < asked_.planned.size(); ++i)
        if (image(i).id == evidence.images[at].id) SkipOne(i, why());
  }

  const Evidence& evidence;
  const ImageIndex& index;
  RecheckResult result;

 private:
  const Image& image(std::size_t i) const { return evidence.images[asked_.planned[i]]; }
  bool begun(std::size_t i) const { return i < asked_.begun.size() && asked_.begun[i]; }

  // The first reason counts.  Empty: no reason.
  void SkipOne(std::size_t i, std::string why) {
    if (result.skipped[i].empty()) result.skipped[i] = std::move(why);
  }

  std::optional<Refusal> CompareOne(RuntimeReader& runtime, const std::stop_token& stop) {
    auto status = runtime.ImageStatus(image(0).id, stop);
    if (!status) return Refusal{"images", std::move(status).error()};
    if (*status && (*status)->id != image(0).id)
      return Refusal{
          "images",
          {ErrorKind::kIncomplete, "requested image " + image(0).id.text() +
                                       ", but the runtime returned " + (*status)->id.text()}};
    SkipOne(0, Changed(image(0), *status ? &**status : nullptr, begun(0)));
    return std::nullopt;
  }

  const RecheckRequest& asked_;
};

// The plan evaluated the workloads that it knew.  A new one keeps its images under any policy.
std::optional<Refusal> Rechecker::RecheckWorkloads(RecheckedImages& images,
                                                   const std::stop_token& stop) {
  if (!images.evidence.workloads) return std::nullopt;
  if (workloads_ == nullptr)
    return Refusal{"workloads", {ErrorKind::kInternal, "workloads are no longer read"}};
  const auto now = workloads_->Read(images.evidence.workloads->as_of, stop);
  if (!now) return Refusal{"workloads", now.error()};
  std::vector<WorkloadReference> added;
  std::ranges::set_difference(now->references, images.evidence.workloads->references,
                              std::back_inserter(added));
  if (added.empty()) return std::nullopt;
  // The ages are not read again.  If an image lost its tag, it may stay until the next run.
  const bool aliases = images.evidence.runtime.has_short_name_aliases();
  const TemplateImages templates(images.evidence.images, {}, aliases);
  std::vector<ImagePos> found;
  for (const WorkloadReference& reference : added) {
    images.Skip(ImageReference{reference.text, {}, {}},
                [&] { return "now needed by " + Describe(reference); });
    templates.FindInto(reference.text, found);
    images.Skip(found, [&] {
      return "now named by " + Describe(reference) + " as " +
             HowNameMayChange(reference.text, aliases);
    });
  }
  return std::nullopt;
}

// The age counts from the request, because the answer may be that old.  Reads the containers of the
// CRI first, so that one that is created in between is among the others.
Result<std::vector<ImageReference>> Rechecker::ReadContainers(const RuntimeUse& use,
                                                              ImageRemover& remover,
                                                              RecheckResult& result,
                                                              const std::stop_token& stop) {
  const SteadyTime asked = clock_.Steady();
  auto containers = runtime_.ReadContainers(stop);
  if (!containers) return std::move(containers).error();
  std::vector<ImageReference> references = std::move(containers->references);
  std::vector<std::string> listed = use.ids;
  std::ranges::move(containers->ids, std::back_inserter(listed));
  auto others = remover.ReadNonCriContainers(listed, stop);
  if (!others) return std::move(others).error();
  std::ranges::move(*others, std::back_inserter(references));
  result.listing_took = std::chrono::duration_cast<Millis>(clock_.Steady() - asked);
  result.at = asked;
  return references;
}

std::optional<Refusal> Rechecker::RecheckUse(RecheckedImages& images, ImageRemover& remover,
                                             SteadyTime since, const std::stop_token& stop) {
  // At most twice: a pod that started after the last list makes the first view inconsistent, and a
  // new list resolves this. A list that is almost too old would have to be read again at the end,
  // when there is no time left. Without a watch, a list from before the batch is too old.
  Millis max_age = expected_.max_pod_list_age / 2;
  if (pods_ != nullptr && !pods_->watches())
    max_age = std::clamp(std::chrono::ceil<Millis>(clock_.Steady() - since), Millis::zero(),
                         kMaxUnwatchedPodListAge);
  for (bool again = false;; again = true) {
    // New lists may take long, so they are read before the images and the containers, and the watch
    // after them.  Pods are read again at the end, workloads are not.
    std::optional<PodEvidence> pods;
    if (auto read = ReadPods(max_age, pods, stop); !read)
      return Refusal{"pods", std::move(read).error()};
    if (auto refusal = RecheckWorkloads(images, stop)) return refusal;
    if (images.evidence.workloads)  // reading them may have taken long
      if (auto read = ReadPods(expected_.max_pod_list_age / 2, pods, stop); !read)
        return Refusal{"pods", std::move(read).error()};
    if (auto refusal = images.Compare(runtime_, stop)) return refusal;
    images.result.at = {};
    if (std::ranges::none_of(images.result.skipped, &std::string::empty)) return std::nullopt;
    const auto use = runtime_.ReadUse(stop);
    if (!use) return Refusal{"containers", use.error()};
    const auto containers = ReadContainers(*use, remover, images.result, stop);
    if (!containers) return Refusal{"containers", containers.error()};
    if (auto read = ReadPods(expected_.max_pod_list_age, pods, stop); !read)
      return Refusal{"pods", std::move(read).error()};

    const auto in_use = [](const ImageReference& reference) {
      return [&reference] { return "came into use by " + Describe(reference.by); };
    };
    if (pods)
      for (const ImageReference& reference : pods->references)
        images.Skip(reference, in_use(reference));
    for (const auto* references : {&use->references, &*containers})
      for (const ImageReference& reference : *references) images.Skip(reference, in_use(reference));
    for (const std::string& text : use->sandbox_images)
      images.Skip(ImageReference{text, {}, {}}, [] { return "it became the pause image"; });

    const EvidenceView view{images.evidence.images, images.index, *use, pods ? &*pods : nullptr};
    if (auto refusal = ValidateEvidence(view, expected_, clock_.Steady())) {
      if (again || pods_ == nullptr) return refusal;
      max_age = Millis::zero();
      continue;
    }
    return std::nullopt;
  }
}

RecheckAnswer Rechecker::Recheck(const RecheckRequest& asked, const Evidence& evidence,
                                 const ImageIndex& index, ImageRemover& remover,
                                 const std::stop_token& stop) {
  RecheckedImages images(asked, evidence, index);
  if (auto refusal = RecheckUse(images, remover, asked.since, stop)) return *std::move(refusal);
  return std::move(images.result);
}

Status Rechecker::ReadPods(Millis max_age, std::optional<PodEvidence>& into,
                           const std::stop_token& stop) {
  if (pods_ == nullptr) return Done{};
  auto pods = pods_->Read(max_age, stop);
  if (!pods) return std::move(pods).error();
  into = *std::move(pods);
  return Done{};
}

}  // namespace imagesweep
