#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/policy/text_tree.h"

namespace imagesweep {

// All errors of a document, so that its author can fix them in one round.  The words are those of
// the Kubernetes API (k8s.io/apimachinery, field.Error and strict decoding).
class ValidationErrors {
 public:
  void Invalid(std::string_view path, std::string_view value, std::string_view why, int line);
  void Unsupported(std::string_view path, std::string_view value,
                   const std::vector<std::string>& supported, int line);
  // `line`: of the object without the field.
  void Required(std::string_view path, std::string_view why, int line);
  // `siblings`: the valid names in this place.
  void Unknown(std::string_view path, std::string_view name,
               const std::vector<std::string>& siblings, int line);
  void Duplicate(std::string_view path, int first_line, int line);

  // Adds the new errors of `other`, each after `prefix`.
  void AddNew(const ValidationErrors& other, const std::string& prefix);

  bool empty() const { return all_.empty(); }
  // One error per line, in the order of the document.  The first 50.
  Error ToError() const;

 private:
  struct ValidationError {
    int line;
    std::string text;
    friend bool operator==(const ValidationError&, const ValidationError&) = default;
  };
  void Add(int line, std::string text) { all_.push_back({line, std::move(text)}); }
  std::vector<ValidationError> all_;
};

// The value as an error shows it: text in quotes, shortened, without control characters.
std::string Quote(const TextNode& node);
std::string Quoted(std::string_view text);

// The most similar of `siblings`.  Empty if none is similar to `name`.
std::string Nearest(std::string_view name, const std::vector<std::string>& siblings);

// Joins "keep" and "images" to "keep.images".
std::string Below(std::string_view path, std::string_view name);

}  // namespace imagesweep
