#include "agent/kube/client/json_filter.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace imagesweep::kube {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxKeptLevels = 64;
constexpr char kAgain = '\x01';  // separates a repeated key from its number

bool IsBlank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

bool IsOfToken(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '+' || c == '.';
}

// The text between the quotes. Empty if it is not a string with only one reading.
std::optional<std::string> Unquoted(const std::string& inner) {
  const auto json = Json::parse('"' + inner + '"', nullptr, /*allow_exceptions=*/false);
  if (!json.is_string()) return std::nullopt;
  return json.get<std::string>();
}

bool IsPlain(const std::string& text) {
  return std::ranges::all_of(
      text, [](char c) { return c >= ' ' && c != '\\' && static_cast<unsigned char>(c) < 0x80; });
}

const Keep* FieldOf(const Keep& keep, std::string_view key) {
  const auto at =
      std::ranges::find_if(keep.fields, [&](const Keep::Field& field) { return field.key == key; });
  return at == keep.fields.end() ? nullptr : &at->keep;
}

}  // namespace

Keep KeepFields(std::vector<Keep::Field> fields) {
  return {Keep::Kind::kFields, std::move(fields)};
}

Keep KeepItems(Keep of_each) {
  return {Keep::Kind::kItems, {{"", std::move(of_each)}}};
}

bool IsKeyOf(std::string_view key, std::string_view name) {
  return key == name ||
         (key.size() > name.size() && key.starts_with(name) && key[name.size()] == kAgain);
}

JsonFilter::JsonFilter(const Keep& keep, OnText on_object, OnText on_item)
    : keep_(keep), on_object_(std::move(on_object)), on_item_(std::move(on_item)) {}

JsonFilter::FeedResult JsonFilter::Feed(std::string_view piece) {
  const auto too_much = [&] { return kept_.size() + item_.size() + text_.size() > kMaxKept; };
  for (std::size_t i = 0; i < piece.size(); ++i) {
    if (in_text_ && !escaped_) {
      // Takes everything that cannot end the string at once: most of a large object is inside
      // strings.
      const std::size_t end = std::min(piece.find_first_of("\"\\", i), piece.size());
      const std::size_t room = Longest() - std::min(Longest(), text_.size());
      text_.append(piece.substr(i, std::min(end - i, room)));
      too_long_ = too_long_ || end - i > room;
      i = end;
      if (i == piece.size()) break;
    }
    if (!Take(piece[i])) return stopped_ ? FeedResult::kStopped : FeedResult::kMalformed;
    if (too_much()) return FeedResult::kMalformed;
  }
  return too_much() ? FeedResult::kMalformed : FeedResult::kNeedMore;
}

bool JsonFilter::Take(char c) {
  if (in_text_) {
    if (!escaped_ && c == '"') {
      in_text_ = false;
      if (!std::exchange(in_key_, false)) return EndText();
      EndKey();
      return true;
    }
    escaped_ = !escaped_ && c == '\\';
    if (text_.size() < Longest()) {
      text_ += c;
    } else {
      too_long_ = true;
    }
    return true;
  }
  if (in_token_) {
    if (IsOfToken(c)) {
      if (next_ != nullptr) text_ += c;
      return true;
    }
    if (!EndToken()) return false;
  }
  if (IsBlank(c)) return true;
  switch (expect_) {
    case Expect::kFirstValue:
      return c == ']' ? End(c) : Begin(c);
    case Expect::kValue:
      return Begin(c);
    case Expect::kFirstKey:
      if (c == '}') return End(c);
      [[fallthrough]];
    case Expect::kKey:
      if (c != '"') return false;
      in_text_ = in_key_ = true;
      text_.clear();
      too_long_ = false;
      return true;
    case Expect::kColon:
      expect_ = Expect::kValue;
      return c == ':';
    case Expect::kComma:
      if (c != ',') return End(c);
      expect_ = open_.back().object ? Expect::kKey : Expect::kValue;
      return true;
  }
  return false;
}

// How much of a string to hold.
std::size_t JsonFilter::Longest() const {
  if (in_key_) return open_.back().keep == nullptr ? 0 : kLongestText;
  if (next_ == nullptr) return 0;
  return next_->kind == Keep::Kind::kAll ? kMaxKept + 1 : kLongestText;
}

// The first character of a value.
bool JsonFilter::Begin(char c) {
  if (open_.empty()) {
    if (c != '{') return false;
    kept_.clear();
    item_.clear();
    out_ = &kept_;
    next_ = &keep_;
  } else if (!open_.back().object) {
    next_ = open_.back().keep;
    names_image_ = false;
    if (open_.back().items) {
      item_.clear();
      out_ = &item_;
      item_level_ = open_.size();
    }
  }
  if (c == '{' || c == '[') return BeginContainer(c == '{');
  text_.clear();
  too_long_ = false;
  if (c == '"') {
    in_text_ = true;
    return true;
  }
  if (!IsOfToken(c)) return false;
  in_token_ = true;
  if (next_ != nullptr) text_ += c;
  return true;
}

bool JsonFilter::BeginContainer(bool object) {
  if (open_.size() >= kMaxLevels) return false;
  Open inner;
  inner.object = object;
  if (next_ != nullptr) {
    WriteKey();
    *out_ += object ? '{' : '[';
    using enum Keep::Kind;
    const bool deep = open_.size() >= kMaxKeptLevels;
    if (next_->kind == kItems && !object) {
      inner.keep = &next_->fields.front().keep;
      inner.items = true;
    } else if (next_->kind == kFields ||
               (!deep && (next_->kind == kAll || next_->kind == kUnknown))) {
      inner.keep = next_;
    }
    if (inner.keep != nullptr && next_->kind == kUnknown && object)
      inner.keys = std::make_unique<std::set<std::string>>();
  }
  inner.kept = next_ != nullptr;
  open_.push_back(std::move(inner));
  expect_ = object ? Expect::kFirstKey : Expect::kFirstValue;
  return true;
}

bool JsonFilter::End(char c) {
  if (open_.empty() || c != (open_.back().object ? '}' : ']')) return false;
  if (open_.back().kept) *out_ += c;
  open_.pop_back();
  return EndValue();
}

// A value of any kind has ended.
bool JsonFilter::EndValue() {
  expect_ = open_.empty() ? Expect::kValue : Expect::kComma;
  if (open_.empty()) {
    stopped_ = !on_object_(kept_);
    kept_.clear();
    return !stopped_;
  }
  if (out_ == &item_ && open_.size() == item_level_) {
    out_ = &kept_;
    stopped_ = on_item_ && !on_item_(item_);
    item_.clear();
    return !stopped_;
  }
  return true;
}

bool JsonFilter::EndText() {
  const bool unknown = next_ != nullptr && next_->kind == Keep::Kind::kUnknown;
  if (next_ != nullptr && (!unknown || names_image_)) {
    if (too_long_) text_ = "(longer than 4096 bytes)";
    if (unknown && !IsPlain(text_) && !Unquoted(text_)) text_ = "?";
    Write('"' + text_ + '"');
  }
  text_.clear();
  return EndValue();
}

bool JsonFilter::EndToken() {
  in_token_ = false;
  if (next_ != nullptr && next_->kind != Keep::Kind::kUnknown) Write(text_);
  text_.clear();
  return EndValue();
}

void JsonFilter::EndKey() {
  expect_ = Expect::kColon;
  next_ = nullptr;
  const Keep* keep = open_.back().keep;
  if (keep == nullptr || too_long_) return;
  std::string key = std::exchange(text_, {});
  if (!IsPlain(key)) {
    auto read = Unquoted(key);
    // Unchanged: the reader of the kept text reports the error.
    if (!read && keep->kind != Keep::Kind::kUnknown) {
      key_ = '"' + key + '"';
      next_ = keep->kind == Keep::Kind::kFields ? nullptr : keep;
      return;
    }
    key = read.value_or("?");
  }
  ChooseKey(std::move(key));
}

void JsonFilter::ChooseKey(std::string key) {
  Open& in = open_.back();
  names_image_ = key == "image" || key == "reference" || key == "name";
  next_ = in.keep->kind == Keep::Kind::kFields ? FieldOf(*in.keep, key) : in.keep;
  if (next_ == nullptr) return;
  if (in.keys) {
    const std::string plain = key;
    for (std::size_t n = in.keys->size(); !in.keys->insert(key).second; ++n)
      key = plain + kAgain + std::to_string(n);
  }
  key_ = IsPlain(key) && key.find('"') == std::string::npos ? '"' + key + '"' : Json(key).dump();
}

// Writes what precedes a kept value.
void JsonFilter::WriteKey() {
  if (open_.empty() || (out_ == &item_ && open_.size() == item_level_)) return;
  Open& in = open_.back();
  if (std::exchange(in.wrote, true)) *out_ += ',';
  if (in.object) *out_ += key_ + ':';
}

void JsonFilter::Write(std::string_view value) {
  WriteKey();
  *out_ += value;
}

}  // namespace imagesweep::kube
