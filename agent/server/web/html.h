#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

namespace imagesweep::web {

// Markup from our source: only a literal can be one, so text from outside cannot become markup by
// mistake.
class Markup {
 public:
  template <std::size_t N>
  consteval Markup(const char (&literal)[N]) : text_(literal, N - 1) {}
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

// All other text, such as the name of an image, an error, or a pod.
struct Text {
  std::string_view text;
};

// `text` for the content of an element and for a quoted attribute.  Shows control characters, bytes
// that are not UTF-8, and bidirectional marks as \xNN.
std::string Escaped(std::string_view text);

// A builder of HTML.
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
