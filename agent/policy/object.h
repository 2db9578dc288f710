#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/policy/codec.h"

namespace imagesweep {

// One field of a struct S: its name, its meaning, and the codec of its type, bound to a member.
template <typename S>
struct Field {
  std::string name;
  std::string meaning;
  std::string wanted;  // not empty: the field is required, and this is the message if it is missing
  TypeInfo type;
  std::function<bool(const TextNode&, const std::string& path, S&, ValidationErrors&)> read;
  std::function<std::string(const S&)> text;
  std::function<std::vector<FieldRow>(const S&, const std::string& path, int depth)> rows;
  std::function<Schema(const S&)> schema;
};

template <typename S, typename T>
Field<S> Member(const std::string& name, T S::*member, const CodecPtr<T>& codec,
                const std::string& meaning) {
  Field<S> field;
  field.name = name;
  field.meaning = meaning;
  field.type = codec->type();
  field.read = [member, codec](const TextNode& node, const std::string& path, S& into,
                               ValidationErrors& errors) {
    return codec->Read(node, path, into.*member, errors);
  };
  field.text = [member, codec](const S& value) { return codec->Text(value.*member); };
  field.rows = [member, codec](const S& value, const std::string& path, int depth) {
    return codec->Rows(value.*member, path, depth);
  };
  field.schema = [member, codec](const S& value) { return codec->ToSchema(value.*member); };
  return field;
}

// The same, as a required field.
template <typename S>
Field<S> Required(Field<S> field) {
  field.wanted = field.meaning;
  return field;
}

// A required field with one valid value, which is not stored.
template <typename S>
Field<S> Constant(const std::string& name, const std::string& value, const std::string& meaning) {
  Field<S> field;
  field.name = name;
  field.meaning = meaning;
  field.wanted = "must be " + value;
  field.type = {"string", "`" + value + "`"};
  field.read = [value](const TextNode& node, const std::string& path, S&,
                       ValidationErrors& errors) {
    if (node.kind == TextNode::Kind::kScalar && node.text == value) return true;
    errors.Unsupported(path, Quote(node), {value}, node.line);
    return false;
  };
  field.text = [value](const S&) { return value; };
  field.rows = [](const S&, const std::string&, int) { return std::vector<FieldRow>(); };
  field.schema = [value](const S&) -> Schema { return {{"const", value}}; };
  return field;
}

// Two fields of one object, of which the first must not be greater.
template <typename S>
struct OrderingConstraint {
  std::string lower, upper;  // names of the fields
  bool strictly = false;     // and not equal
  std::function<bool(const S&)> holds;
};

// A YAML map with fixed fields.
template <typename S>
class Object final : public Codec<S> {
 public:
  explicit Object(std::vector<Field<S>> fields, std::vector<OrderingConstraint<S>> constraints = {})
      : fields_(std::move(fields)), constraints_(std::move(constraints)) {}

  bool Read(const TextNode& node, const std::string& path, S& into,
            ValidationErrors& errors) const override {
    if (node.kind != TextNode::Kind::kMap) {
      errors.Invalid(path, Quote(node), "must be a map of fields", node.line);
      return false;
    }
    std::map<std::string, int> lines;  // of the fields in the document
    std::set<std::string> wrong;
    for (const auto& [name, line, value] : node.entries) {
      const Field<S>* const field = Find(name);
      if (field == nullptr) {
        errors.Unknown(path, name, Names(), line);
        wrong.insert(name);
      } else if (const auto [first, added] = lines.emplace(name, line); !added) {
        errors.Duplicate(Below(path, name), first->second, line);
        wrong.insert(name);
      } else if (!IsEmptySection(*field, value, path) &&
                 !field->read(value, Below(path, name), into, errors)) {
        wrong.insert(name);
      }
    }
    for (const auto& field : fields_) {
      if (field.wanted.empty() || lines.contains(field.name)) continue;
      errors.Required(Below(path, field.name), field.wanted, node.line);
      wrong.insert(field.name);
    }
    for (const auto& order : constraints_) {
      if (wrong.contains(order.lower) || wrong.contains(order.upper) || order.holds(into)) continue;
      ReportOrder(order, into, path, lines, errors);
      wrong.insert(order.lower);
    }
    return wrong.empty();
  }

  std::string Text(const S& value) const override {
    std::string text;
    for (const auto& field : fields_) {
      const std::string its = field.text(value);
      if (its.empty()) continue;  // an optional field without a value
      text += (text.empty() ? "" : ", ") + field.name + ": " + its;
    }
    return "{" + text + "}";
  }
  TypeInfo type() const override { return {"object", ""}; }
  Schema ToSchema(const S& value) const override {
    Schema properties = Schema::object();
    Schema required = Schema::array();
    for (const auto& field : fields_) {
      properties[field.name] = field.schema(value);
      properties[field.name]["description"] = field.meaning;
      if (!field.wanted.empty()) required.push_back(field.name);
    }
    Schema schema = {{"type", "object"}, {"additionalProperties", false}};
    if (!required.empty()) schema["required"] = std::move(required);
    schema["properties"] = std::move(properties);
    return schema;
  }

  std::vector<FieldRow> Rows(const S& value, const std::string& path, int depth) const override {
    std::vector<FieldRow> rows;
    for (const auto& field : fields_) {
      const auto below = field.rows(value, Below(path, field.name), depth + 1);
      rows.push_back({Below(path, field.name), field.name, depth, !below.empty(),
                      !field.wanted.empty(), field.type, field.text(value), field.meaning});
      rows.insert(rows.end(), below.begin(), below.end());
    }
    return rows;
  }

 private:
  // A section whose lines are all commented out has its defaults.  Not within a list: a rule with
  // an empty selector must not select everything.
  static bool IsEmptySection(const Field<S>& field, const TextNode& value,
                             const std::string& path) {
    return value.kind == TextNode::Kind::kNull && path.find('[') == std::string::npos &&
           (field.type.name == "object" || field.type.name.starts_with("list of "));
  }
  const Field<S>* Find(const std::string& name) const {
    for (const auto& field : fields_)
      if (field.name == name) return &field;
    return nullptr;
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& field : fields_) names.push_back(field.name);
    return names;
  }
  // Reports the field that the document sets, or the lower one if it sets both.  A test ensures
  // that the defaults are consistent.
  void ReportOrder(const OrderingConstraint<S>& order, const S& value, const std::string& path,
                   const std::map<std::string, int>& lines, ValidationErrors& errors) const {
    const bool lower = lines.contains(order.lower) || !lines.contains(order.upper);
    const auto& blamed = lower ? order.lower : order.upper;
    const auto& other = lower ? order.upper : order.lower;
    const char* const how = lower ? (order.strictly ? "less than " : "at most ")
                                  : (order.strictly ? "greater than " : "at least ");
    const auto line = lines.find(blamed);
    errors.Invalid(Below(path, blamed), Find(blamed)->text(value),
                   "must be " + std::string(how) + other + " (" + Find(other)->text(value) + ")",
                   line == lines.end() ? 1 : line->second);
  }

  std::vector<Field<S>> fields_;
  std::vector<OrderingConstraint<S>> constraints_;
};

template <typename S>
CodecPtr<S> ObjectOf(std::vector<Field<S>> fields,
                     std::vector<OrderingConstraint<S>> constraints = {}) {
  return std::make_shared<Object<S>>(std::move(fields), std::move(constraints));
}

}  // namespace imagesweep
