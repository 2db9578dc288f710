#include "agent/policy/codec.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "agent/base/duration.h"
#include "agent/base/quantity.h"

namespace imagesweep {
namespace {

constexpr std::size_t kMaxNumberText = 64;

class BooleanCodec final : public Codec<bool> {
 public:
  bool Read(const TextNode& node, const std::string& path, bool& into,
            ValidationErrors& errors) const override {
    if (IsScalar(node) && !node.quoted && (node.text == "true" || node.text == "false")) {
      into = node.text == "true";
      return true;
    }
    std::string why = "must be true or false";
    if (IsScalar(node) && node.quoted && (node.text == "true" || node.text == "false"))
      why += ", without quotes";
    else if (IsScalar(node) && IsNonStringScalar(node.text))
      why += ", in lower case; other words and numbers do not count as booleans";
    errors.Invalid(path, Quote(node), why, node.line);
    return false;
  }
  std::string Text(const bool& value) const override { return value ? "true" : "false"; }
  TypeInfo type() const override { return {"boolean", ""}; }
  Schema ToSchema(const bool& value) const override {
    return {{"type", "boolean"}, {"default", value}};
  }
};

class IntegerCodec final : public Codec<int> {
 public:
  IntegerCodec(int minimum, int maximum) : minimum_(minimum), maximum_(maximum) {}

  bool Read(const TextNode& node, const std::string& path, int& into,
            ValidationErrors& errors) const override {
    const auto refuse = [&](const std::string& why) {
      errors.Invalid(path, Quote(node), why, node.line);
      return false;
    };
    if (!IsScalar(node) || !IsDecimal(node.text)) {
      const bool percent = IsScalar(node) && node.text.ends_with('%');
      return refuse(percent ? "must be an integer, without the percent sign"
                            : "must be an integer, in plain decimal digits");
    }
    if (node.quoted) return refuse("must be an integer, without quotes");
    const char* const begin = node.text.data();
    std::int64_t value = 0;
    const auto read = std::from_chars(begin, begin + node.text.size(), value);
    if (read.ec != std::errc{})  // more than 64 bits
      value = node.text.front() == '-' ? std::numeric_limits<std::int64_t>::min()
                                       : std::numeric_limits<std::int64_t>::max();
    if (value < minimum_) return refuse("must be at least " + std::to_string(minimum_));
    if (value > maximum_) return refuse("must be at most " + std::to_string(maximum_));
    into = static_cast<int>(value);
    return true;
  }
  std::string Text(const int& value) const override { return std::to_string(value); }
  TypeInfo type() const override {
    if (maximum_ == std::numeric_limits<int>::max())
      return {"integer", "at least " + std::to_string(minimum_)};
    return {"integer", std::to_string(minimum_) + " … " + std::to_string(maximum_)};
  }
  Schema ToSchema(const int& value) const override {
    Schema schema = {{"type", "integer"}, {"minimum", minimum_}};
    if (maximum_ != std::numeric_limits<int>::max()) schema["maximum"] = maximum_;
    schema["default"] = value;
    return schema;
  }

 private:
  // Also rejects leading zeros, because old YAML reads such a number as octal.
  static bool IsDecimal(std::string_view text) {
    if (text.starts_with('-')) text.remove_prefix(1);
    if (text.empty() || (text.size() > 1 && text.front() == '0')) return false;
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  }
  int minimum_, maximum_;
};

class DurationCodec final : public Codec<Millis> {
 public:
  DurationCodec(Millis minimum, Millis maximum) : minimum_(minimum), maximum_(maximum) {}

  bool Read(const TextNode& node, const std::string& path, Millis& into,
            ValidationErrors& errors) const override {
    const auto refuse = [&](const std::string& why) {
      errors.Invalid(path, Quote(node), why, node.line);
      return false;
    };
    if (!IsScalar(node) || node.text.size() > kMaxNumberText)
      return refuse("must be a duration, e.g. 30s, 15m, 1h30m or 7d");
    const auto value = ParseDuration(node.text);
    if (!value) return refuse(WithoutValue(value.error().what, node.text));
    if (*value == Millis::zero() && node.text.find_first_of("123456789") != std::string::npos)
      return refuse("must be at least 1ms, or 0s");
    if (*value < minimum_) return refuse("must be at least " + FormatDuration(minimum_));
    if (*value > maximum_) return refuse("must be at most " + FormatDuration(maximum_));
    into = *value;
    return true;
  }
  std::string Text(const Millis& value) const override { return FormatDuration(value); }
  TypeInfo type() const override {
    if (maximum_ == Millis::max()) return {"duration", ""};
    return {"duration", FormatDuration(minimum_) + " … " + FormatDuration(maximum_)};
  }
  Schema ToSchema(const Millis& value) const override {
    const std::string parts = "(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|\u00B5s|ms|s|m|h|d|w))+";
    Schema schema = {{"type", "string"}, {"pattern", "^" + parts + "$"}};
    if (minimum_ == Millis::zero())  // 0 needs no unit, and without quotes it is a number
      schema = {{"type", {"string", "integer"}},
                {"pattern", "^(0|" + parts + ")$"},
                {"minimum", 0},
                {"maximum", 0}};
    schema["maxLength"] = kMaxNumberText;
    schema["default"] = FormatDuration(value);
    return schema;
  }

 private:
  Millis minimum_, maximum_;
};

class QuantityCodec final : public Codec<std::uint64_t> {
 public:
  bool Read(const TextNode& node, const std::string& path, std::uint64_t& into,
            ValidationErrors& errors) const override {
    if (!IsScalar(node) || node.text.size() > kMaxNumberText) {
      errors.Invalid(path, Quote(node), "must be a quantity of bytes, e.g. 500Mi, 20Gi or 0",
                     node.line);
      return false;
    }
    const auto value = ParseQuantity(node.text);
    if (!value) {
      errors.Invalid(path, Quote(node), WithoutValue(value.error().what, node.text), node.line);
      return false;
    }
    into = *value;
    return true;
  }
  // In the largest binary unit without loss.
  std::string Text(const std::uint64_t& value) const override {
    constexpr const char* kUnits[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    std::uint64_t left = value;
    std::size_t unit = 0;
    while (left != 0 && left % 1024 == 0 && unit + 1 < std::size(kUnits)) {
      left /= 1024;
      ++unit;
    }
    return std::to_string(left) + kUnits[unit];
  }
  TypeInfo type() const override { return {"quantity", ""}; }
  Schema ToSchema(const std::uint64_t& value) const override {
    return {{"type", {"string", "number"}},  // a number without a suffix and without quotes
            {"pattern",
             "^([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+)?(k|M|G|T|P|E|B|[KMGTPE]iB?)?$"},
            {"maxLength", kMaxNumberText},
            {"minimum", 0},
            {"default", Text(value)}};
  }
};

// A plain number that is not negative.
class DecimalCodec final : public Codec<double> {
 public:
  bool Read(const TextNode& node, const std::string& path, double& into,
            ValidationErrors& errors) const override {
    double value = 0;
    const char* const end = node.text.data() + node.text.size();
    const bool digits = IsScalar(node) && !node.quoted && node.text.size() <= kMaxNumberText &&
                        !node.text.empty() &&
                        node.text.find_first_not_of("0123456789.") == std::string::npos;
    const auto read = std::from_chars(node.text.data(), end, value);
    if (!digits || read.ec != std::errc{} || read.ptr != end || value > 1e9) {
      errors.Invalid(path, Quote(node), "must be a number from 0 to 1000000000, such as 0.023",
                     node.line);
      return false;
    }
    into = value;
    return true;
  }
  std::string Text(const double& value) const override {
    char text[400];
    const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed);
    return {text, end.ptr};
  }
  TypeInfo type() const override { return {"number", ""}; }
  Schema ToSchema(const double& value) const override {
    return {{"type", "number"}, {"minimum", 0}, {"maximum", 1'000'000'000}, {"default", value}};
  }
};

class TimeOfDayCodec final : public Codec<std::chrono::minutes> {
 public:
  bool Read(const TextNode& node, const std::string& path, std::chrono::minutes& into,
            ValidationErrors& errors) const override {
    const std::string& text = node.text;
    const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
    const bool shape = IsScalar(node) && text.size() == 5 && digit(0) && digit(1) &&
                       text[2] == ':' && digit(3) && digit(4);
    const int hour = shape ? (text[0] - '0') * 10 + text[1] - '0' : 0;
    const int minute = shape ? (text[3] - '0') * 10 + text[4] - '0' : 0;
    if (!shape || minute > 59 || hour * 60 + minute > 24 * 60) {
      errors.Invalid(path, Quote(node), "must be a time of day such as \"04:30\", up to \"24:00\"",
                     node.line);
      return false;
    }
    into = std::chrono::minutes(hour * 60 + minute);
    return true;
  }
  std::string Text(const std::chrono::minutes& value) const override {
    const auto two = [](auto number) {
      return std::string(number < 10 ? "0" : "") + std::to_string(number);
    };
    return YamlText(two(value.count() / 60) + ":" + two(value.count() % 60));
  }
  TypeInfo type() const override { return {"time of day", ""}; }
  Schema ToSchema(const std::chrono::minutes&) const override {
    return {{"type", "string"}, {"pattern", "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"}};
  }
};

}  // namespace

CodecPtr<bool> Boolean() {
  return std::make_shared<BooleanCodec>();
}
CodecPtr<int> Integer(int minimum, int maximum) {
  return std::make_shared<IntegerCodec>(minimum, maximum);
}
CodecPtr<Millis> Duration(Millis minimum, Millis maximum) {
  return std::make_shared<DurationCodec>(minimum, maximum);
}
CodecPtr<double> Decimal() {
  return std::make_shared<DecimalCodec>();
}
CodecPtr<std::chrono::minutes> TimeOfDay() {
  return std::make_shared<TimeOfDayCodec>();
}
CodecPtr<std::uint64_t> Quantity() {
  return std::make_shared<QuantityCodec>();
}
}  // namespace imagesweep
