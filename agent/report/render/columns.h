#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace imagesweep {

// The width of printable text (printable.h) on a terminal.  East Asian wide characters and emoji
// have two columns.  Never less than the real width: a character without a width counts as one.
std::size_t ColumnsOf(std::string_view text);

// The beginning of the text, or its end, with at most `width` columns.
std::string FirstColumns(std::string_view text, std::size_t width);
std::string LastColumns(std::string_view text, std::size_t width);

}  // namespace imagesweep
