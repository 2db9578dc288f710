#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <ranges>
#include <utility>
#include <vector>

namespace imagesweep {

// A position in the list of images of one observation.  It selects what is removed, so it is a type
// of its own: a position in any other list does not compile.
class ImagePos {
 public:
  constexpr ImagePos() = default;
  constexpr explicit ImagePos(std::size_t value) : value_(static_cast<std::uint32_t>(value)) {}

  constexpr std::uint32_t value() const { return value_; }

  friend constexpr auto operator<=>(ImagePos, ImagePos) = default;

 private:
  std::uint32_t value_ = 0;
};

// The images, or a list that is parallel to them.  Only an ImagePos selects one of its values.
template <typename T>
class ByImage : public std::vector<T> {
 public:
  using std::vector<T>::vector;
  explicit ByImage(std::vector<T> values) : std::vector<T>(std::move(values)) {}

  bool Has(ImagePos at) const { return at.value() < this->size(); }

  decltype(auto) operator[](ImagePos at) { return std::vector<T>::operator[](at.value()); }
  decltype(auto) operator[](ImagePos at) const { return std::vector<T>::operator[](at.value()); }
  void at(std::size_t) const = delete;  // it would take any position
};

// The image at a position, in a list of images that is not owned here.
template <typename List>
decltype(auto) At(List&& images, ImagePos at) {
  return *(std::begin(images) + static_cast<std::ptrdiff_t>(at.value()));
}

// All positions in the images, or in a list that is parallel to them.
template <typename List>
auto Positions(const List& images) {
  return std::views::iota(std::size_t{0}, images.size()) |
         std::views::transform([](std::size_t at) { return ImagePos(at); });
}

}  // namespace imagesweep

template <>
struct std::hash<imagesweep::ImagePos> {
  std::size_t operator()(imagesweep::ImagePos at) const noexcept { return at.value(); }
};
