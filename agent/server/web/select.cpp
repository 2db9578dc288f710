#include "agent/server/web/select.h"

#include <algorithm>
#include <tuple>

#include "agent/model/image_index.h"

namespace imagesweep::web {
namespace {

void AppendLower(std::string_view text, std::string& to) {
  for (const char c : text) to += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  to += '\n';
}

std::vector<std::string> Words(std::string_view search) {
  std::string lower;
  AppendLower(search, lower);
  std::vector<std::string> words;
  std::string word;
  for (const char c : lower) {
    if (c != ' ' && c != '\n' && c != '\t') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  return words;
}

class Matcher {
 public:
  Matcher(const Report& report, const ImageQuery& query)
      : report_(report), verdict_(query.verdict), words_(Words(query.search)) {}

  bool Wants(ImagePos at) {
    const Decision& decision = report_.plan.decisions[at];
    if (verdict_ && decision.verdict != *verdict_) return false;
    if (words_.empty()) return true;
    const Image& image = report_.observation.images[at];
    text_.clear();
    for (const ImageName& name : image.tags) AppendLower(name.text(), text_);
    for (const ImageName& name : image.digests) AppendLower(name.text(), text_);
    AppendLower(image.id.text(), text_);
    AppendLower(ToString(decision.verdict), text_);
    AppendLower(ToString(decision.code), text_);
    AppendLower(decision.reason, text_);
    for (const auto by : decision.used_by)
      AppendLower(Describe(report_.observation.references[by].by), text_);
    for (const auto by : decision.needed_by)
      AppendLower(Describe(report_.observation.workloads[by]), text_);
    return std::ranges::all_of(
        words_, [&](const std::string& word) { return text_.find(word) != std::string::npos; });
  }

 private:
  const Report& report_;
  const std::optional<Verdict> verdict_;
  const std::vector<std::string> words_;
  std::string text_;
};

// Removals first, then deferred images, then kept images.
int Rank(Verdict verdict) {
  switch (verdict) {
    case Verdict::kRemove:
      return 0;
    case Verdict::kDefer:
      return 1;
    case Verdict::kKeep:
      return 2;
  }
  return 3;
}

// Milliseconds since the last use; in use: now, never seen in use: longest ago.
Millis::rep SinceUse(const Report& report, ImagePos at) {
  const ImageAge& age = report.observation.ages[at];
  if (report.plan.decisions[at].code == Code::kInUse) return -1;
  if (!age.last_used) return std::numeric_limits<Millis::rep>::max();
  return std::chrono::floor<Millis>(report.observation.at - *age.last_used).count();
}

}  // namespace

std::vector<ImagePos> SelectImages(const Report& report, const ImageQuery& query) {
  struct Row {
    ImagePos at;
    std::int64_t number;
    std::string_view text, name;
  };
  std::vector<Row> rows;
  Matcher matcher(report, query);
  for (const ImagePos at : Positions(report.plan.decisions)) {
    if (!matcher.Wants(at)) continue;
    const Image& image = report.observation.images[at];
    const Decision& decision = report.plan.decisions[at];
    Row row{at, 0, {}, image.display_name()};
    switch (query.by) {
      case SortBy::kVerdict:
        row.number = Rank(decision.verdict);
        break;
      case SortBy::kName:
        break;
      case SortBy::kCode:
        row.text = ToString(decision.code);
        break;
      case SortBy::kReason:
        row.text = decision.reason;
        break;
      case SortBy::kAge:
        row.number = report.observation.ages[at].unused_for.count();
        break;
      case SortBy::kLastUse:
        row.number = SinceUse(report, at);
        break;
      case SortBy::kSize:
        row.number = static_cast<std::int64_t>(image.size_bytes);
        break;
    }
    rows.push_back(row);
  }
  std::ranges::sort(rows, [&](const Row& a, const Row& b) {
    const auto key = [](const Row& row) {
      return std::tie(row.number, row.text, row.name, row.at);
    };
    return query.descending ? key(b) < key(a) : key(a) < key(b);
  });
  std::vector<ImagePos> selected;
  selected.reserve(rows.size());
  for (const Row& row : rows) selected.push_back(row.at);
  return selected;
}

std::vector<ImagePos> FindImages(const Report& report, std::string_view query) {
  const auto fields = ParseQuery(query);
  const auto& images = report.observation.images;
  std::vector<ImagePos> found;
  if (const auto name = fields.find("name"); name != fields.end() && !name->second.empty())
    return ImageIndex(images).Resolve(name->second);
  const auto id = fields.find("id");
  if (id == fields.end() || id->second.empty()) return found;
  for (const ImagePos at : Positions(images)) {
    const std::string_view text = images[at].id.text();
    const auto colon = text.find(':');
    if (text.starts_with(id->second) ||
        (colon != std::string_view::npos && text.substr(colon + 1).starts_with(id->second)))
      found.push_back(at);
  }
  return found;
}

std::string_view ShortId(const Image& image) {
  std::string_view text = image.id.text();
  if (const auto colon = text.find(':'); colon != std::string_view::npos)
    text.remove_prefix(colon + 1);
  return text.substr(0, 12);
}

bool Decided(const Report& report) {
  return !report.policy_text.empty() || !report.plan.decisions.empty();
}

}  // namespace imagesweep::web
