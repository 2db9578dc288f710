#include "agent/server/web/html.h"
#include "agent/base/codec.h"

#include <gmock/gmock.h>

namespace imagesweep::web {
namespace {

TEST(Html, EscapesMarkupCharacters) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {"docker.io/library/nginx:1.25", "docker.io/library/nginx:1.25"},
      {"<script>", "&lt;script&gt;"},
      {"a&b", "a&amp;b"},
      {"&lt;", "&amp;lt;"},
      {"\"'", "&quot;&#39;"},
      {"größe → 磁盘", "größe → 磁盘"},
      {"\n\t\r", "\\x0A\\x09\\x0D"},
      {std::string("\0", 1), "\\x00"},
      {"\x7f", "\\x7F"},
      {"\xff<", "\\xFF&lt;"},
      {"\xc0\xbc", "\\xC0\\xBC"},           // an overlong <
      {"\xe2\x80\xae", "\\xE2\\x80\\xAE"},  // right-to-left override
      {"\xed\xa0\x80", "\\xED\\xA0\\x80"},  // a surrogate
      {"\xf0\x9f", "\\xF0\\x9F"},           // cut off
  };
  for (const auto& [text, escaped] : cases) EXPECT_EQ(Escaped(text), escaped);
}

// No byte passes that could end a text or an attribute.
TEST(Html, EscapesEveryByteThatMatters) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string escaped = Escaped(std::string(1, static_cast<char>(byte)));
    EXPECT_EQ(escaped.find_first_of("<>\"'"), std::string::npos) << byte;
    for (const char c : escaped) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << byte;
  }
}

TEST(Html, OnlyUnreservedCharactersStayInAQuery) {
  EXPECT_EQ(UrlEncoded("Az09-._~"), "Az09-._~");
  EXPECT_EQ(UrlEncoded("a b&c=d#\"<>\xff"), "a%20b%26c%3Dd%23%22%3C%3E%FF");
}

TEST(Html, KeepsLiteralsAndEscapesTheRest) {
  const std::string name = "<b>";
  Html html;
  html << "<p title=\"" << Text{name} << "\">" << 3U << "</p>";
  EXPECT_EQ(html.str(), "<p title=\"&lt;b&gt;\">3</p>");
  static_assert(!std::is_convertible_v<std::string, Markup>);
  static_assert(!std::is_convertible_v<std::string_view, Markup>);
  static_assert(!std::is_convertible_v<const char*, Markup>);
}

}  // namespace
}  // namespace imagesweep::web
