#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/policy/text_tree.h"

namespace imagesweep {

// Everything that is wrong with a document, so that its author needs one round, not ten.  The words
// are those of the Kubernetes API (k8s.io/apimachinery, field.Error and strict decoding).
class Complaints {
 public:
  void Invalid(std::string_view path, std::string_view value, std::string_view why, int line);
  void Unsupported(std::string_view path, std::string_view value,
                   const std::vector<std::string>& supported, int line);
  // `line`: of the object that lacks it.
  void Required(std::string_view path, std::string_view why, int line);
  // `siblings`: the names that would have been right in this place.
  void Unknown(std::string_view path, std::string_view name,
               const std::vector<std::string>& siblings, int line);
  void Duplicate(std::string_view path, int first_line, int line);

  // Those of `other` that are not here yet, each after `prefix`.
  void AddNew(const Complaints& other, const std::string& prefix);

  bool empty() const { return all_.empty(); }
  // One per line, in the order of the document; the first fifty.
  Error ToError() const;

 private:
  struct Complaint {
    int line;
    std::string text;
    friend bool operator==(const Complaint&, const Complaint&) = default;
  };
  void Add(int line, std::string text) { all_.push_back({line, std::move(text)}); }
  std::vector<Complaint> all_;
};

// The value as a complaint shows it: text in quotes, shortened, without control characters.
std::string Shown(const TextNode& node);
std::string Quoted(std::string_view text);

// The one of `siblings` that was probably meant by `name`; empty when none is like it.
std::string Nearest(std::string_view name, const std::vector<std::string>& siblings);

// "keep" and "images" make "keep.images".
std::string Below(std::string_view path, std::string_view name);

}  // namespace imagesweep
