#include "agent/runtime/docker/json.h"

#include <set>
#include <utility>

#include "agent/base/printable_ascii.h"

namespace imagesweep::docker {

namespace {

constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxValues = 4'000'000;  // 10,000 containers have 600,000
constexpr std::size_t kMaxOpenKeys = 10'000;   // of all open objects

// Reads the text without keeping it, so that a hostile one takes no memory.
class Checker final : public nlohmann::json_sax<Json> {
 public:
  std::string problem;

  bool null() override { return Value(); }
  bool boolean(bool) override { return Value(); }
  bool number_integer(number_integer_t) override { return Value(); }
  bool number_unsigned(number_unsigned_t) override { return Value(); }
  bool number_float(number_float_t, const string_t&) override { return Value(); }
  bool string(string_t&) override { return Value(); }
  bool binary(binary_t&) override { return Value(); }
  bool start_object(std::size_t) override { return Open(); }
  bool start_array(std::size_t) override { return Open(); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool key(string_t& key) override {
    if (++open_keys_ > kMaxOpenKeys) return Refuse("an object has too many members");
    if (open_.back().insert(key).second) return true;
    return Refuse("key \"" + PrintableAscii(key) + "\" appears twice in one object");
  }
  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::detail::exception& error) override {
    return Refuse(PrintableAscii(error.what()));
  }

 private:
  bool Refuse(std::string what) {
    problem = std::move(what);
    return false;
  }
  bool Value() { return ++values_ <= kMaxValues || Refuse("too many values"); }
  bool Open() {
    if (open_.size() == kMaxDepth) return Refuse("nested too deeply");
    open_.emplace_back();
    return Value();
  }
  bool Close() {
    open_keys_ -= open_.back().size();
    open_.pop_back();
    return true;
  }

  std::vector<std::set<std::string>> open_;
  std::size_t open_keys_ = 0, values_ = 0;
};

const Json& EmptyObject() {
  static const Json kEmpty = Json::object();
  return kEmpty;
}

const Json& EmptyArray() {
  static const Json kEmpty = Json::array();
  return kEmpty;
}

}  // namespace

Result<Json> ParseJson(std::string_view text, const KeepMember& keep) {
  Checker checker;
  if (!Json::sax_parse(text, &checker)) {
    return Error{ErrorKind::kIncomplete, "JSON: " + checker.problem};
  }
  Json::parser_callback_t callback;
  if (keep) {
    callback = [&keep](int depth, Json::parse_event_t event, Json& parsed) {
      return event != Json::parse_event_t::key || keep(depth, parsed.get_ref<const std::string&>());
    };
  }
  Json value = Json::parse(text, callback, /*allow_exceptions=*/false);
  if (value.is_discarded()) return Error{ErrorKind::kIncomplete, "JSON: not readable"};
  return value;
}

Fields::Fields(const Json& object) : object_(object) {
  if (!object.is_object()) Problem("an entry is not an object");
}

void Fields::Problem(std::string what) {
  if (problem_.empty()) problem_ = std::move(what);
}

void Fields::Check(const Fields& part) {
  if (!part.ok()) Problem(part.problem_);
}

const Json* Fields::At(const char* key) const {
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(key);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::string Fields::Text(const char* key) {
  const Json* value = At(key);
  if (value == nullptr) return {};
  if (value->is_string()) return value->get<std::string>();
  Problem(std::string(key) + " is not a string");
  return {};
}

std::string Fields::NeededText(const char* key) {
  std::string text = Text(key);
  if (text.empty()) Problem(std::string(key) + " is missing");
  return text;
}

std::vector<std::string> Fields::Texts(const char* key) {
  std::vector<std::string> texts;
  for (const Json& value : Array(key)) {
    if (value.is_string()) {
      texts.push_back(value.get<std::string>());
    } else {
      Problem(std::string(key) + " has an entry that is not a string");
    }
  }
  return texts;
}

std::map<std::string, std::string> Fields::TextsByKey(const char* key) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : Object(key).items()) {
    if (value.is_string()) {
      texts[name] = value.get<std::string>();
    } else {
      Problem(std::string(key) + " has a value that is not a string");
    }
  }
  return texts;
}

std::int64_t Fields::Number(const char* key, std::int64_t otherwise) {
  const Json* value = At(key);
  if (value == nullptr) return otherwise;
  // A larger number would become negative.
  const bool fits = value->is_number_integer() &&
                    (!value->is_number_unsigned() || value->get<std::uint64_t>() <= INT64_MAX);
  if (fits) return value->get<std::int64_t>();
  Problem(std::string(key) + " is not an integer");
  return otherwise;
}

std::uint64_t Fields::NeededSize(const char* key) {
  const std::int64_t size = Number(key, -1);
  if (size >= 0) return static_cast<std::uint64_t>(size);
  Problem(std::string(key) + " is missing or negative");
  return 0;
}

const Json& Fields::Object(const char* key) {
  const Json* value = At(key);
  if (value == nullptr) return EmptyObject();
  if (value->is_object()) return *value;
  Problem(std::string(key) + " is not an object");
  return EmptyObject();
}

const Json& Fields::Array(const char* key) {
  const Json* value = At(key);
  if (value == nullptr) return EmptyArray();
  if (value->is_array()) return *value;
  Problem(std::string(key) + " is not an array");
  return EmptyArray();
}

}  // namespace imagesweep::docker
