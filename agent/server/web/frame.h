#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/model/image_pos.h"
#include "agent/server/web/html.h"
#include "agent/server/web/view.h"

namespace imagesweep::web {

// A whole document around `main`.
std::string Document(const StatusView& view, std::string_view title, const Html& main);

// Common elements of the pages.
Html ImageLink(const Report& report,
               ImagePos at);  // the name, shortened, with a link to the page of the image
Html VerdictWord(Verdict verdict);
Html Time(SystemTime at, SystemTime now);  // "12m ago", with the exact time as a title
std::string Ago(SystemTime at, SystemTime now);
std::string AgeWords(const ImageAge& age);
std::string LastUseWords(const Report& report, ImagePos at, SystemTime now);
std::string SizeOfAll(const Report& report, const std::vector<ImagePos>& images);
Html Lines(std::string_view text);  // each escaped, for a <pre>
// `count` and the noun: "1 image", "2 images".
std::string Counted(std::size_t count, std::string_view noun);

// The stylesheet and the script, which are part of each page.
extern const std::string_view kStyle;
extern const std::string_view kScript;

// The headers of every page: it may load nothing, run only these two (by their hashes), connect
// only to this agent, and not be framed.
const std::vector<std::pair<std::string, std::string>>& PageHeaders();

}  // namespace imagesweep::web
