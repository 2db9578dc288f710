#include "agent/report/documents/sweep_effect.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "agent/model/image.h"
#include "agent/report/documents/text.h"
#include "agent/report/render/page.h"

namespace imagesweep::sweep_page {
namespace {

using namespace document;

std::string Whole(const Json& json, const char* key) {
  return std::to_string(static_cast<long>(Number(json, key)));
}

// By the layers, if the report has the figure.
std::string Predicted(const Json& report) {
  if (!At(report, "predictedFreedBytes").is_number()) return {};
  const std::string certainty = Text(report, "predictionCertainty");
  return Bytes(Number(report, "predictedFreedBytes")) + " predicted by the layers" +
         (certainty.empty() ? "" : " (" + certainty + ")");
}

// `text` with at least two decimals: "2" becomes "2.00", "0.0450" becomes "0.045".
std::string WithCents(std::string text) {
  if (text.find('.') == std::string::npos) text += '.';
  const std::size_t cents = text.find('.') + 3;
  while (text.size() > cents && text.back() == '0') text.pop_back();
  text.resize(std::max(text.size(), cents), '0');
  return text;
}

// A price with all decimals that the policy gives.
std::string UnitPrice(double price) {
  char text[400];
  const auto end = std::to_chars(text, text + sizeof text, price, std::chars_format::fixed).ptr;
  return WithCents(std::string(text, end));
}

// Rounded to cents; below ten cents, with two significant digits.
std::string Amount(double money) {
  constexpr int kMost = 12;
  int decimals = 2;
  if (money > 0 && money < 0.1)
    decimals = std::min(kMost, static_cast<int>(std::ceil(-std::log10(money))) + 1);
  char text[400];
  std::snprintf(text, sizeof text, "%.*f", decimals, money);
  return WithCents(text);
}

Page::Grid DiskGrid(const SweepDocument& sweep) {
  const Json& before = At(sweep.report, "before");
  // A dry run changes nothing, so the measured state after it says nothing.
  const Json& after = At(sweep.report, sweep.dry_run ? "predictedAfter" : "after");
  Page::Grid grid{{"", "Before", sweep.dry_run ? "After (estimate)" : "After"}, {}};
  const auto row = [&](const std::string& what, const auto& show) {
    grid.rows.push_back({what, show(before), after.is_null() ? "-" : show(after)});
  };
  row("Images", [](const Json& at) { return Whole(at, "images"); });
  row("Total size", [](const Json& at) { return Bytes(Number(at, "bytes")); });
  row("Reclaimable", [](const Json& at) {
    const double all = Number(at, "bytes"), part = Number(at, "reclaimableBytes");
    const auto percent = all > 0 ? std::lround(part * 100 / all) : 0;
    return Bytes(part) + " (" + std::to_string(percent) + "%)";
  });
  row("File system used", [](const Json& at) -> std::string {
    const Json& disk = At(at, "filesystem");
    if (disk.is_null()) return "unknown";
    return Bytes(Number(disk, "sizeBytes") - Number(disk, "availBytes")) + " of " +
           Bytes(Number(disk, "sizeBytes")) + " (" +
           std::to_string(static_cast<int>(Number(disk, "usedPercent"))) + "%)";
  });
  return grid;
}

std::string Reclaimed(const SweepDocument& sweep) {
  const Json& report = sweep.report;
  std::string text = (sweep.dry_run ? "Would be reclaimed: " : "Space reclaimed: ") +
                     Bytes(sweep.SizeOfWent()) + " by the runtime's sizes";
  if (At(report, "measuredFreedBytes").is_number() && !sweep.dry_run)
    text += ", " + Bytes(Number(report, "measuredFreedBytes")) + " measured on the file system";
  if (const std::string predicted = Predicted(report); !predicted.empty()) text += ", " + predicted;
  if (const std::string off = Text(report, "predictionOffBy"); !off.empty())
    text += ". Difference: " + off;
  return text + ".";
}

}  // namespace

std::optional<Page::Section> DiskSpace(const SweepDocument& sweep) {
  if (At(sweep.report, "before").is_null()) return std::nullopt;
  return SectionOf("Disk space", DiskGrid(sweep), Page::Paragraph{kReclaimableMeans},
                   Page::Paragraph{Reclaimed(sweep)});
}

std::optional<Page::Section> Verification(const SweepDocument& sweep) {
  const Json& verification = At(sweep.report, "verification");
  if (verification.is_null() || At(sweep.report, "before").is_null()) return std::nullopt;
  std::vector<std::string> items;
  const auto missing = Texts(At(verification, "missing"));
  if (At(sweep.report, "after").is_null()) {
    items.push_back("No image was removed, so there was no verification.");
  } else if (missing.empty()) {
    std::string all =
        AllArePresent(static_cast<std::size_t>(Number(verification, "referencedImages")));
    all.front() = all.front() == 'a' ? 'A' : 'T';
    items.push_back(std::move(all));
  }
  for (const std::string& name : missing)
    items.push_back("MISSING although referenced: " + ShownName(name));
  if (At(verification, "unfinishedPods").is_number()) {
    std::string pods = "Pods ready before: " + Whole(verification, "readyPodsBefore") + " of " +
                       Whole(verification, "unfinishedPods");
    if (At(verification, "readyPodsAfter").is_number())
      pods += ", after: " + Whole(verification, "readyPodsAfter");
    items.push_back(pods + ".");
  }
  return SectionOf("Verification", Page::Bullets{std::move(items)});
}

std::optional<Page::Section> GettingImagesBack(const SweepDocument& sweep, bool with_pulls) {
  if (sweep.went.empty()) return std::nullopt;
  const std::string archive = Text(At(sweep.report, "policy"), "archiveDir");
  const std::string pull =
      Text(At(sweep.report, "runtime"), "name") == "docker" ? "docker pull " : "crictl pull ";
  std::string commands;
  std::vector<std::string> gone;
  for (const Json* outcome : sweep.went) {
    const Json& image = sweep.ImageOf(*outcome);
    const auto names = Texts(At(image, "names"));
    const auto digests = Texts(At(image, "digests"));
    const std::string origin = Text(At(image, "origin"), "kind");
    const bool pulled =
        origin.empty() ? !digests.empty() : origin == "Pulled" || origin == "Registry";
    if (!pulled || digests.empty()) {
      gone.push_back("No evidence proves that " + NamesOf(image).front() +
                     " can be pulled again: " +
                     (archive.empty() ? std::string("you may have to build it again")
                      : sweep.dry_run ? "an archive of it would be in " + archive
                                      : "an archive of it is in " + archive));
    } else {
      commands += pull + digests.front();
      for (std::size_t i = 0; i < names.size(); ++i)
        commands += (i == 0 ? "  # " : ", ") + names[i];
      commands += '\n';
    }
  }
  Page::Section section = SectionOf(
      "Getting images back",
      Page::Paragraph{sweep.dry_run ? "To restore images after a run that removes them:"
                                    : "To restore the removed images:"},
      Page::Code{
          "sh", "imagesweep restore " +
                    (sweep.dry_run ? std::string("--last") : "--run " + Text(sweep.report, "run")) +
                    " --dry-run=false\n"});
  if (with_pulls && !commands.empty()) {
    section.blocks.emplace_back(
        Page::Paragraph{"To pull images manually from their registry, by digest:"});
    section.blocks.emplace_back(Page::Code{"sh", commands});
  }
  if (!gone.empty()) section.blocks.emplace_back(Page::Bullets{gone});
  return section;
}

std::optional<Page::Section> Cost(const SweepDocument& sweep) {
  const double price = Number(sweep.report, "storageCostPerGiBMonth");
  if (price <= 0 || sweep.went.empty()) return std::nullopt;
  const double saved = price * sweep.SizeOfWent() / (1024.0 * 1024 * 1024);
  return SectionOf("Cost", Page::Paragraph{std::string(sweep.dry_run ? "Would save " : "Saves ") +
                                           Amount(saved) + " a month at " + UnitPrice(price) +
                                           " per GiB, by the runtime's sizes."});
}

}  // namespace imagesweep::sweep_page
