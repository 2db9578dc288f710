#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace imagesweep::kube {

// The parts of a JSON value to keep. The rule for an array applies to each of its elements.
struct Keep {
  enum class Kind {
    kScalar,   // strings of at most kLongestText, numbers, true, false, null; only the kind of any
               // other value: {} or []
    kFields,   // the named fields of an object; any other value as kScalar
    kItems,    // each element of an array separately, see JsonFilter
    kAll,      // everything, up to 64 levels deep
    kUnknown,  // data of unknown format: objects, arrays, and the strings that name images, even if
               // the rest is not valid JSON
  };
  struct Field;

  Kind kind = Kind::kScalar;
  std::vector<Field> fields;  // for kFields; for kItems one without a key, for the elements
};

struct Keep::Field {
  std::string key;
  Keep keep;
};

Keep KeepFields(std::vector<Keep::Field> fields);
Keep KeepItems(Keep of_each);
inline Keep KeepAll() {
  return {Keep::Kind::kAll, {}};
}

// Reads JSON objects from pieces of any size as they arrive (client-go's framer.go reads values the
// same way), and passes on the kept parts as text. Of the other parts it checks only the structure:
// brackets, strings, and commas. So memory does not grow with an object, and unusual values in an
// unused part do no harm. Not thread-safe.
class JsonFilter {
 public:
  enum class FeedResult {
    kNeedMore,
    kStopped,    // a handler ended it
    kMalformed,  // not a stream of objects, nested too deeply, or too much to keep: nothing after
                 // this can be trusted
  };
  static constexpr std::size_t kLongestText = 4096;  // no name of an image is that long
  static constexpr std::size_t kMaxKept = 16U << 20;
  static constexpr std::size_t kMaxLevels = 10'000;  // as Go's encoding/json, so any object fits

  // Each handler returns whether to continue.
  using OnText = std::function<bool(std::string_view text)>;
  // `on_object` gets each complete object. `on_item` gets each element of a kItems array, which the
  // object then does not contain. `keep` must outlive the filter.
  JsonFilter(const Keep& keep, OnText on_object, OnText on_item = {});

  FeedResult Feed(std::string_view piece);
  // The input ended in the middle of an object: discard what arrived of it.
  bool mid_object() const { return !open_.empty(); }

 private:
  enum class Expect { kValue, kFirstValue, kFirstKey, kKey, kColon, kComma };
  struct Open {
    const Keep* keep = nullptr;  // rule for its parts; null: none of them is kept
    bool kept = false;           // itself, possibly without its parts
    bool object = false;
    bool items = false;
    bool wrote = false;                             // a part was written, so a comma comes next
    std::unique_ptr<std::set<std::string>> keys{};  // of kUnknown
  };

  bool Take(char c);
  bool Begin(char c);
  bool BeginContainer(bool object);
  bool End(char c);
  bool EndText();
  void EndKey();
  bool EndValue();
  bool EndToken();
  void ChooseKey(std::string key);
  void Write(std::string_view value);
  void WriteKey();
  std::size_t Longest() const;

  const Keep& keep_;
  const OnText on_object_;
  const OnText on_item_;
  std::vector<Open> open_;
  Expect expect_ = Expect::kValue;
  const Keep* next_ = nullptr;  // rule for the next value; null: it is left out
  std::string key_;             // of that value, quoted
  bool names_image_ = false;    // whether the key may name an image
  std::string kept_;            // of the object
  std::string item_;            // of an element of kItems
  std::string* out_ = &kept_;
  std::size_t item_level_ = 0;  // how many containers are open around it
  std::string text_;            // a string or number that is being read
  bool in_text_ = false;
  bool in_key_ = false;
  bool in_token_ = false;
  bool escaped_ = false;
  bool too_long_ = false;
  bool stopped_ = false;
};

// Whether `key` is `name`, or the key of a repeated field `name` in one object of kUnknown.
bool IsKeyOf(std::string_view key, std::string_view name);

}  // namespace imagesweep::kube
