#include "agent/server/web/frame.h"

#include "agent/base/codec.h"
#include "agent/base/duration.h"
#include "agent/base/quantity.h"
#include "agent/server/web/select.h"

namespace imagesweep::web {
namespace {

// Lists cut longer names; the page of the image has the whole name.
constexpr std::size_t kMaxName = 160;

}  // namespace

std::string Document(const StatusView& view, std::string_view title, const Html& main) {
  Html begin;
  begin << "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
           "<link rel=\"icon\" href=\"data:,\"><title>"
        << Text{title} << "</title><style>";
  Html header;
  header
      << "</style></head>\n<body><a class=\"skip\" href=\"#main\">Skip to content</a>\n"
         "<header><h1>"
      << Text{title}
      << "</h1><nav aria-label=\"Parts of this page\"><ul><li><a href=\"./#state\">State</a></li>"
         "<li><a href=\"./#disk\">Disk</a></li><li><a href=\"./#plan\">Plan</a></li>"
         "<li><a href=\"./#protected\">Protected</a></li><li><a href=\"./#runs\">Runs</a></li>"
         "<li><a href=\"./#sources\">Sources</a></li><li><a href=\"./#policy\">Policy</a></li>"
         "<li><a href=\"./#list\">Images</a></li></ul></nav></header>\n<main id=\"main\">\n";
  Html footer;
  footer << "</main>\n<footer class=\"soft\">imagesweep " << Text{view.version} << " on "
         << Text{view.node} << ", " << Text{FormatTime(view.now)}
         << ". This page changes nothing. As JSON: <a href=\"api/v1/images\">images</a>, "
            "<a href=\"api/v1/plan\">plan</a>, <a href=\"api/v1/runs\">runs</a>, "
            "<a href=\"api/v1/policy\">policy</a>.</footer>\n<script>";
  std::string document;
  document.reserve(begin.size() + header.size() + main.size() + footer.size() + kStyle.size() +
                   kScript.size() + 64);
  document.append(begin.str()).append(kStyle).append(header.str()).append(main.str());
  document.append(footer.str()).append(kScript).append("</script></body></html>\n");
  return document;
}

Html ImageLink(const Report& report, ImagePos at) {
  const Image& image = report.observation.images[at];
  const std::uint32_t main_tag = report.plan.decisions[at].main_tag;
  const std::string name =
      main_tag < image.tags.size() ? image.tags[main_tag].text() : ShownName(image);
  Html html;
  html << "<a href=\"image?id=" << Text{UrlEncoded(ShortId(image))} << "\">";
  if (name.size() <= kMaxName)
    html << Text{name};
  else
    html << Text{std::string_view(name).substr(0, kMaxName)} << "…";
  html << "</a>";
  if (image.tags.size() > 1)
    html << " <span class=\"soft\">+" << image.tags.size() - 1 << "</span>";
  return html;
}

Html VerdictWord(Verdict verdict) {
  Html html;
  html << "<span class=\"" << Text{ToString(verdict)} << "\">" << Text{ToString(verdict)}
       << "</span>";
  return html;
}

std::string Ago(SystemTime at, SystemTime now) {
  const auto since = std::chrono::floor<Millis>(now - at);
  return since < Millis::zero() ? "in " + HumanDuration(-since) : HumanDuration(since) + " ago";
}

Html Time(SystemTime at, SystemTime now) {
  const std::string exact = FormatTime(at);
  Html html;
  html << "<time datetime=\"" << Text{exact} << "\" title=\"" << Text{exact} << "\">"
       << Text{Ago(at, now)} << "</time>";
  return html;
}

std::string AgeWords(const ImageAge& age) {
  return age.just_seen ? "just seen" : HumanDuration(age.unused_for);
}

std::string LastUseWords(const Report& report, ImagePos at, SystemTime now) {
  if (report.plan.decisions[at].code == Code::kInUse) return "in use";
  const auto& last = report.observation.ages[at].last_used;
  return last ? Ago(*last, now) : "never seen";
}

std::string SizeOfAll(const Report& report, const std::vector<ImagePos>& images) {
  std::uint64_t bytes = 0;
  for (const auto at : images) bytes += report.observation.images[at].size_bytes;
  return HumanBytes(bytes);
}

Html Lines(std::string_view text) {
  Html html;
  while (!text.empty()) {
    const auto end = text.find('\n');
    html << Text{text.substr(0, end)} << "\n";
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return html;
}

std::string Counted(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

}  // namespace imagesweep::web
