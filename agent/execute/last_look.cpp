#include "agent/execute/last_look.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>

#include "agent/model/tag_index.h"

namespace imagesweep {
namespace {

// Of a batch that takes longer the pods are listed once more.
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

// Is it still the image that the plan meant?  Empty: yes.  Once its removal has begun it may have
// fewer names.
std::string Changed(const Image& planned, const Image* now, bool begun) {
  if (now == nullptr) return "it is gone already";
  if (now->pinned) return "the runtime has pinned it since the plan was made";
  if (begun ? !HasNoOtherNames(planned, *now) : !SameNames(planned, *now))
    return "its names changed since the plan was made";
  return {};
}

}  // namespace

// What is looked at, planned in one view of the node.
class LastLook::Subject {
 public:
  Subject(const Evidence& read, const ImageIndex& of_images, std::size_t planned)
      : evidence(read), index(of_images), looked{{}, {}, {}, std::vector<std::string>(planned)} {}
  virtual ~Subject() = default;
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  // Spares what is not as it was planned.  Not the last word: containers are read right after this.
  virtual std::optional<Refusal> Compare(RuntimeReader& runtime, const std::stop_token& stop) = 0;
  // Which of the planned a reference means, by their positions.
  virtual std::vector<std::size_t> MeantBy(const ImageReference& reference) const = 0;

  // Whom `reference` means stays, because of `why()`.
  template <typename Why>
  void Spare(const ImageReference& reference, const Why& why) {
    for (const std::size_t i : MeantBy(reference))
      if (looked.spared[i].empty()) looked.spared[i] = why();
  }
  // The first reason counts; empty: there is none.
  void SpareOne(std::size_t i, std::string why) {
    if (looked.spared[i].empty()) looked.spared[i] = std::move(why);
  }

  const Evidence& evidence;
  const ImageIndex& index;
  Looked looked;
};

class LastLook::Images final : public Subject {
 public:
  Images(const Rechecked& asked, const Evidence& read, const ImageIndex& of_images)
      : Subject(read, of_images, asked.planned.size()), asked_(asked), planned_(asked.planned) {}

  std::optional<Refusal> Compare(RuntimeReader& runtime, const std::stop_token& stop) override {
    if (planned_.size() == 1 && !asked_.list_all) return CompareOne(runtime, stop);
    auto images = runtime.ListImages(stop);
    if (!images) return Refusal{"images", std::move(images).error()};
    std::unordered_map<std::string_view, const Image*> by_id;
    for (const Image& image : *images) by_id.emplace(image.id.text(), &image);
    for (std::size_t i = 0; i < planned_.size(); ++i) {
      const auto it = by_id.find(image(i).id.text());
      SpareOne(i, Changed(image(i), it == by_id.end() ? nullptr : it->second, begun(i)));
    }
    looked.listed = *std::move(images);
    return std::nullopt;
  }

  std::vector<std::size_t> MeantBy(const ImageReference& reference) const override {
    std::vector<std::size_t> meant;
    for (const auto at : index.Resolve(reference))
      for (std::size_t i = 0; i < planned_.size(); ++i)
        if (image(i).id == evidence.images[at].id) meant.push_back(i);
    return meant;
  }

 private:
  const Image& image(std::size_t i) const { return evidence.images[planned_[i]]; }
  bool begun(std::size_t i) const { return i < asked_.begun.size() && asked_.begun[i]; }

  std::optional<Refusal> CompareOne(RuntimeReader& runtime, const std::stop_token& stop) {
    auto status = runtime.ImageStatus(image(0).id, stop);
    if (!status) return Refusal{"images", std::move(status).error()};
    if (*status && (*status)->id != image(0).id)
      return Refusal{
          "images",
          {ErrorKind::kIncomplete, "asked for " + image(0).id.text() +
                                       ", the runtime answered with " + (*status)->id.text()}};
    SpareOne(0, Changed(image(0), *status ? &**status : nullptr, begun(0)));
    return std::nullopt;
  }

  const Rechecked& asked_;
  const std::vector<std::uint32_t>& planned_;
};

class LastLook::Names final : public Subject {
 public:
  Names(const std::vector<NameToDrop>& planned, const Evidence& read, const ImageIndex& of_images)
      : Subject(read, of_images, planned.size()),
        planned_(planned),
        tags_(TagsOf(planned, read)),
        tag_index_(tags_) {}

  std::optional<Refusal> Compare(RuntimeReader& runtime, const std::stop_token& stop) override {
    const auto images = runtime.ListImages(stop);
    if (!images) return Refusal{"images", images.error()};
    for (std::size_t i = 0; i < planned_.size(); ++i) {
      const ImageId& id = evidence.images[planned_[i].image].id;
      const auto now = std::ranges::find(*images, id, &Image::id);
      SpareOne(i, now == images->end() ? "its image is gone" : WhyNot(tags_[i], *now));
    }
    return std::nullopt;
  }

  std::vector<std::size_t> MeantBy(const ImageReference& reference) const override {
    const auto named = tag_index_.NamedBy(reference);
    return {named.begin(), named.end()};
  }

 private:
  static std::vector<ImageName> TagsOf(const std::vector<NameToDrop>& planned,
                                       const Evidence& read) {
    std::vector<ImageName> tags;
    tags.reserve(planned.size());
    for (const NameToDrop& one : planned) tags.push_back(read.images[one.image].tags[one.tag]);
    return tags;
  }

  std::string WhyNot(const ImageName& tag, const Image& now) const {
    if (now.pinned) return "the runtime has pinned its image since the plan was made";
    if (std::ranges::find(now.tags, tag) == now.tags.end())
      return "it is no tag of its image any more";
    const bool keeps_one = std::ranges::any_of(now.tags, [&](const ImageName& other) {
      return other.repository() == tag.repository() &&
             std::ranges::find(tags_, other) == tags_.end();
    });
    return keeps_one ? "" : "its image would have no tag of that repository left";
  }

  const std::vector<NameToDrop>& planned_;
  const std::vector<ImageName> tags_;  // parallel to it
  const TagIndex tag_index_;
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

// The time counts from the asking: the answer may be as old as that.  Containers of the CRI first,
// so that one which it gets in between is among the others.
Result<std::vector<ImageReference>> LastLook::ReadContainers(const RuntimeUse& use,
                                                             ImageRemover* remover, Looked& looked,
                                                             const std::stop_token& stop) {
  const SteadyTime asked = clock_.Steady();
  auto containers = runtime_.ReadContainers(stop);
  if (!containers) return std::move(containers).error();
  std::vector<ImageReference> references = std::move(containers->references);
  if (remover != nullptr) {
    std::vector<std::string> listed = use.ids;
    std::ranges::move(containers->ids, std::back_inserter(listed));
    auto others = remover->ReadNonCriContainers(listed, stop);
    if (!others) return std::move(others).error();
    std::ranges::move(*others, std::back_inserter(references));
  }
  looked.listing_took = std::chrono::duration_cast<Millis>(clock_.Steady() - asked);
  looked.at = asked;
  return references;
}

std::optional<Refusal> LastLook::LookAtUse(Subject& subject, ImageRemover* remover,
                                           SteadyTime since, const std::stop_token& stop) {
  // Twice at most: a pod that started since the last list makes the first view contradictory, and a
  // new list clears that up.
  // A list that is about to be too old would be read anew at the end, when nobody may wait any
  // more.  Where nobody watches, a list of before the batch is too old.
  Millis max_age = expected_.max_pod_list_age / 2;
  if (pods_ != nullptr && !pods_->watches())
    max_age = std::clamp(std::chrono::ceil<Millis>(clock_.Steady() - since), Millis::zero(),
                         kMaxUnwatchedPodListAge);
  for (bool again = false;; again = true) {
    // New lists may take their time, so they come before the images and the containers, and the
    // watch after them.  Of pods there is a second one: of workloads the list is the last word.
    std::optional<PodEvidence> pods;
    if (auto read = ReadPods(max_age, pods, stop); !read)
      return Refusal{"pods", std::move(read).error()};
    if (auto refusal = LookAtWorkloads(subject, stop)) return refusal;
    if (subject.evidence.workloads)  // which may have taken their time
      if (auto read = ReadPods(expected_.max_pod_list_age / 2, pods, stop); !read)
        return Refusal{"pods", std::move(read).error()};
    if (auto refusal = subject.Compare(runtime_, stop)) return refusal;
    subject.looked.at = {};
    if (std::ranges::none_of(subject.looked.spared, &std::string::empty)) return std::nullopt;
    const auto use = runtime_.ReadUse(stop);
    if (!use) return Refusal{"containers", use.error()};
    const auto containers = ReadContainers(*use, remover, subject.looked, stop);
    if (!containers) return Refusal{"containers", containers.error()};
    if (auto read = ReadPods(expected_.max_pod_list_age, pods, stop); !read)
      return Refusal{"pods", std::move(read).error()};

    const auto in_use = [](const ImageReference& reference) {
      return [&reference] { return "came into use by " + Describe(reference.by); };
    };
    if (pods)
      for (const ImageReference& reference : pods->references)
        subject.Spare(reference, in_use(reference));
    for (const auto* references : {&use->references, &*containers})
      for (const ImageReference& reference : *references)
        subject.Spare(reference, in_use(reference));
    for (const std::string& text : use->sandbox_images)
      subject.Spare({text, {}, {}}, [] { return "it became the pause image"; });

    const View view{subject.evidence.images, subject.index, *use, pods ? &*pods : nullptr};
    if (auto refusal = Examine(view, expected_, clock_.Steady())) {
      if (again || pods_ == nullptr) return refusal;
      max_age = Millis::zero();
      continue;
    }
    return std::nullopt;
  }
}

LookResult LastLook::Look(const Rechecked& asked, const Evidence& evidence, const ImageIndex& index,
                          ImageRemover& remover, const std::stop_token& stop) {
  Images subject(asked, evidence, index);
  return LookAt(subject, &remover, asked.since, stop);
}

LookResult LastLook::LookAtNames(const std::vector<NameToDrop>& planned, const Evidence& evidence,
                                 const ImageIndex& index, const std::stop_token& stop) {
  Names subject(planned, evidence, index);
  return LookAt(subject, nullptr, clock_.Steady(), stop);
}

LookResult LastLook::LookAt(Subject& subject, ImageRemover* remover, SteadyTime since,
                            const std::stop_token& stop) {
  if (auto refusal = LookAtUse(subject, remover, since, stop)) return *std::move(refusal);
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
