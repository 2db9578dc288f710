#include "agent/model/regular_expression.h"

namespace imagesweep {
namespace {

constexpr auto kNone = std::string_view::npos;

void ReplaceAll(std::string& text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != kNone; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

}  // namespace

std::string FromRegularExpression(std::string_view text, std::string_view any) {
  if (text.starts_with('^')) text.remove_prefix(1);
  if (text.ends_with('$')) text.remove_suffix(1);
  std::string glob;
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::size_t end = at;  // after a set or a class
    if (text[at] == '[')
      end = text.find(']', at) == kNone ? at : text.find(']', at) + 1;
    else if (text[at] == '\\' && at + 1 < text.size() &&
             (text[at + 1] == 'd' || text[at + 1] == 'w'))
      end = at + 2;
    const bool dot =
        text[at] == '.' && at + 1 < text.size() && (text[at + 1] == '*' || text[at + 1] == '+');
    if (dot) {
      glob += any;
      ++at;
    } else if (end > at) {
      glob += '*';
      at = end < text.size() && (text[end] == '*' || text[end] == '+') ? end : end - 1;
    } else if (text[at] != '\\') {
      glob += text[at];
    }
  }
  ReplaceAll(glob, "***", "**");
  return glob;
}

std::string ImagesFromRegularExpression(std::string_view text) {
  const auto slash = text.rfind('/');
  const auto colon = text.find(':', slash == kNone ? 0 : slash + 1);
  std::string glob = FromRegularExpression(text.substr(0, colon), "**");
  if (colon != kNone) glob += ":" + FromRegularExpression(text.substr(colon + 1), "*");
  return glob;
}

}  // namespace imagesweep
