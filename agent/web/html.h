#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

namespace imagesweep::web {

// Markup that stands in our source: only a literal can be one, so no text from outside can become
// markup by mistake.
class Markup {
 public:
  template <std::size_t N>
  consteval Markup(const char (&literal)[N]) : text_(literal, N - 1) {}
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

// Everything else: an image's name, an error, a pod.
struct Text {
  std::string_view text;
};

// `text` for the content of an element and for a quoted attribute.  Control characters, bytes that
// are not UTF-8 and marks that turn the direction of writing are shown as \xNN.
std::string Escaped(std::string_view text);

// `text` for one value of a query string, RFC 3986: only unreserved characters stay.
std::string UrlEncoded(std::string_view text);

// HTML as it grows.
class Html {
 public:
  Html& operator<<(Markup markup) {
    text_ += markup.text();
    return *this;
  }
  Html& operator<<(Text text) {
    text_ += Escaped(text.text);
    return *this;
  }
  Html& operator<<(const Html& other) {
    text_ += other.text_;
    return *this;
  }
  Html& operator<<(std::integral auto number) {
    text_ += std::to_string(number);
    return *this;
  }
  const std::string& str() const { return text_; }
  std::size_t size() const { return text_.size(); }

 private:
  std::string text_;
};

}  // namespace imagesweep::web
