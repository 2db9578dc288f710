#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "agent/base/quantity.h"
#include "agent/report/documents/document.h"
#include "agent/report/documents/image_stores.h"
#include "agent/report/documents/listing.h"
#include "agent/report/documents/short_names.h"
#include "agent/report/documents/text_parts.h"

namespace imagesweep {
namespace {

using document::Count;

std::string Number(StorePos at) {
  return std::to_string(at + 1);
}

std::string Numbers(const std::vector<StorePos>& stores) {
  std::string text;
  for (const StorePos at : stores) text += (text.empty() ? "" : ", ") + Number(at);
  return text;
}

std::string Cell(const Amount& amount) {
  return std::to_string(amount.images) + " (" + HumanBytes(amount.bytes) + ")";
}

std::string Text(const Amount& amount) {
  return ImageCount(amount.images) + ", " + HumanBytes(amount.bytes);
}

std::string RuntimeOf(const ImageStore& store) {
  return store.runtime.name + " " + store.runtime.version;
}

std::string UsedOf(const DiskUsage& disk) {
  return HumanBytes(disk.capacity_bytes - disk.available_bytes) + " of " +
         HumanBytes(disk.capacity_bytes) + " (" + std::to_string(disk.used_percent()) + "%)";
}

std::vector<std::string> Row(std::string number, std::string runtime, const StoreTotals& totals) {
  return {std::move(number),
          std::move(runtime),
          std::to_string(totals.all.images),
          HumanBytes(totals.all.bytes),
          Cell(totals.in_use),
          Cell(totals.pinned),
          Cell(totals.idle)};
}

// The page is made section by section from these values.
class StoresPage {
 public:
  StoresPage(const StoresReport& report, bool full)
      : stores_(report.stores), summary_(Summarize(report.stores)) {
    for (StorePos at = 0; at < stores_.size(); ++at)
      if (!stores_[at].store) unread_.push_back(at);
    names_ = full ? ShortNames::Full() : NamesOfAll();
    if (!summary_) return;
    for (const CommonImage& image : summary_->common)
      for (const auto& copy : image.copies) copies_[{copy.store, copy.image}] = &image;
  }

  Page Make(const StoresReport& report) const {
    Page page;
    page.title =
        "Image stores of " + (report.node.empty() ? std::string("this node") : report.node);
    page.head.emplace_back(Page::Bullets{
        {"Date: " + FormatTime(report.observed_at), "Stores: " + std::to_string(stores_.size()),
         "Status: " + (unread_.empty() ? std::string("complete")
                                       : "incomplete: cannot read store " + Numbers(unread_))}});
    page.head.emplace_back(Page::Paragraph{
        "In use: a container of the same store uses the image. Kubernetes is not read, so an image "
        "that a pod or a workload needs, but no container uses yet, counts as not in use."});
    page.sections.push_back(Overview());
    if (!unread_.empty()) page.sections.push_back(Unread());
    if (summary_) {
      page.sections.push_back(FileSystems());
      page.sections.push_back(CommonImages());
    }
    for (StorePos at = 0; at < stores_.size(); ++at)
      if (stores_[at].store) page.sections.push_back(Images(at));
    return page;
  }

 private:
  ShortNames NamesOfAll() const {
    ShortNames names;
    for (const StoreReading& reading : stores_) {
      if (!reading.store) continue;
      for (const Image& image : reading.store->seen.images)
        for (const auto* list : {&image.tags, &image.digests})
          for (const ImageName& name : *list) names.Add(name.text());
    }
    return names;
  }

  Page::Section Overview() const {
    Page::Grid grid{{"Store", "Runtime", "Images", "Size", "In use", "Pinned", "Not in use"}, {}};
    for (StorePos at = 0; at < stores_.size(); ++at) {
      const auto& store = stores_[at].store;
      grid.rows.push_back(store ? Row(Number(at), RuntimeOf(*store), TotalsOf(*store))
                                : std::vector<std::string>{Number(at), "cannot be read"});
      grid.rows.back().resize(grid.header.size());
    }
    if (!summary_)
      return SectionOf("Overview", std::move(grid),
                       Page::Paragraph{"There is no total, because store " + Numbers(unread_) +
                                       " cannot be read."});
    grid.rows.push_back(Row("Total", "", summary_->totals));
    return SectionOf(
        "Overview", std::move(grid),
        Page::Paragraph{"Sizes are as the runtimes report them, which ignore shared layers. The "
                        "total counts an image once for each store that holds it."});
  }

  Page::Section Unread() const {
    Page::Bullets errors;
    for (const StorePos at : unread_)
      errors.items.push_back("Store " + Number(at) + ", " + stores_[at].endpoint + ": " +
                             stores_[at].store.error().what);
    return SectionOf("Cannot be read", std::move(errors));
  }

  Page::Section FileSystems() const {
    Page::Grid grid{{"Directory", "Stores", "Used"}, {}};
    std::uint64_t used = 0;
    for (const CommonDisk& disk : summary_->disks) {
      grid.rows.push_back({disk.usage.mountpoint, Numbers(disk.stores), UsedOf(disk.usage)});
      used += disk.usage.capacity_bytes - disk.usage.available_bytes;
    }
    std::string text =
        "Used is all space that is not available, also by other files. A file system with several "
        "stores counts once. ";
    text += summary_->all_disks_read
                ? "Total: " + HumanBytes(used) + " used on " +
                      Count(summary_->disks.size(), "file system") + "."
                : "There is no total, because a file system cannot be read; see the warnings.";
    return SectionOf("File systems", std::move(grid), Page::Paragraph{std::move(text)});
  }

  Page::Section CommonImages() const {
    if (summary_->common.empty())
      return SectionOf("In several stores",
                       Page::Paragraph{"No image is in more than one of the stores."});
    Page::Grid grid{{"Image"}, {}};
    std::vector<std::uint64_t> bytes(stores_.size());
    for (StorePos at = 0; at < stores_.size(); ++at) grid.header.push_back("Store " + Number(at));
    for (const CommonImage& image : summary_->common) {
      const auto& [first, pos] = image.copies.front();
      std::vector<std::string> row(grid.header.size());
      row.front() = NamesCell(stores_[first].store->seen.images[pos], names_);
      for (const auto& [at, its] : image.copies) {
        const ImageStore& store = *stores_[at].store;
        const std::uint64_t size = store.seen.images[its].size_bytes;
        bytes[at] += size;
        std::string& cell = row[at + 1];
        cell += (cell.empty() ? "" : "; ") + HumanBytes(size);
        if (UseOf(store.decisions[its]) == StoreUse::kInUse) cell += ", in use";
      }
      grid.rows.push_back(std::move(row));
    }
    std::string text = ImageCount(summary_->common.size()) +
                       (summary_->common.size() == 1 ? " is" : " are") +
                       " in more than one store: ";
    for (StorePos at = 0; at < stores_.size(); ++at)
      text += (at == 0 ? "" : ", ") + HumanBytes(bytes[at]) + " in store " + Number(at);
    return SectionOf("In several stores", std::move(grid), Page::Paragraph{text + "."});
  }

  // "2 (in use), 3"; empty: in no other store.
  std::string AlsoIn(StorePos at, ImagePos image) const {
    const auto found = copies_.find({at, image});
    if (found == copies_.end()) return {};
    std::string text;
    for (const auto& [other, pos] : found->second->copies) {
      if (other == at) continue;
      const bool in_use = UseOf(stores_[other].store->decisions[pos]) == StoreUse::kInUse;
      text += (text.empty() ? "" : ", ") + Number(other) + (in_use ? " (in use)" : "");
    }
    return text;
  }

  std::string UsedBy(const ImageStore& store, ImagePos at) const {
    const Decision& decision = store.decisions[at];
    if (UseOf(decision) == StoreUse::kPinned) return "the runtime (pinned)";
    constexpr std::size_t kShown = 3;
    const auto users = PodsOf(store.seen, decision);
    std::string text;
    for (std::size_t i = 0; i < users.size() && i < kShown; ++i)
      text += (i == 0 ? "" : ", ") + Describe(users[i]);
    if (users.size() > kShown) text += " and " + std::to_string(users.size() - kShown) + " more";
    return text;
  }

  // The images in use first, then the largest.
  std::vector<ImagePos> InOrder(const ImageStore& store) const {
    std::vector<ImagePos> images = AllByName(store.seen);
    std::ranges::stable_sort(images, {}, [&](ImagePos at) {
      return std::pair(UseOf(store.decisions[at]), ~store.seen.images[at].size_bytes);
    });
    return images;
  }

  Page::Section Images(StorePos at) const {
    const ImageStore& store = *stores_[at].store;
    const StoreTotals totals = TotalsOf(store);
    Page::Grid grid{
        {"Image", "ID", "Size", "Used by", "Also in store"}, {}, {{"ID", "Size"}, "Used by"}};
    for (const ImagePos image : InOrder(store))
      grid.rows.push_back({NamesCell(store.seen.images[image], names_),
                           ShortId(store.seen.images[image].id),
                           HumanBytes(store.seen.images[image].size_bytes), UsedBy(store, image),
                           AlsoIn(at, image)});
    Page::Section section{"Store " + Number(at) + ": " + RuntimeOf(store), {}};
    section.blocks.emplace_back(
        Page::Paragraph{stores_[at].endpoint + ": " + Text(totals.all) + ". In use by " +
                        Count(store.containers, "container") + ": " + Text(totals.in_use) +
                        ". Not in use: " + Text(totals.idle) + "."});
    if (!grid.rows.empty()) section.blocks.emplace_back(std::move(grid));
    Page::Bullets notes;
    if (store.has_kubelet)
      notes.items.push_back(
          "A kubelet runs pods on this runtime. To see what Kubernetes needs, run `imagesweep "
          "images --runtime-endpoint " +
          stores_[at].endpoint + " --kubeconfig FILE`.");
    for (const std::string& warning : store.warnings) notes.items.push_back("Warning: " + warning);
    if (!notes.items.empty()) section.blocks.emplace_back(std::move(notes));
    return section;
  }

  const std::vector<StoreReading>& stores_;
  const std::optional<StoresSummary> summary_;
  std::vector<StorePos> unread_;
  ShortNames names_;
  std::map<std::pair<StorePos, ImagePos>, const CommonImage*> copies_;
};

}  // namespace

Page MakeStoresPage(const StoresReport& report, bool full) {
  return StoresPage(report, full).Make(report);
}

}  // namespace imagesweep
