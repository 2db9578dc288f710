#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace imagesweep::kube {

// What to keep of a JSON value.  An array is kept as its elements are.
struct Keep {
  enum class Kind {
    kScalar,   // texts of at most kLongestText, numbers, true, false, null; of another value its
               // kind: {} or []
    kFields,   // of an object the fields that are named, of anything else as kScalar
    kItems,    // of an array each element by itself, see JsonFilter
    kAll,      // everything, 64 levels deep
    kUnknown,  // of no known format: objects and arrays, and the texts that name images, whatever
               // else stands there and whether or not it is good JSON
  };
  struct Field;

  Kind kind = Kind::kScalar;
  std::vector<Field> fields;  // of kFields, and of the elements of kItems one without a key
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

// Reads JSON objects as they come, in any pieces (client-go's framer.go reads values the same way),
// and hands over what is to be kept of them, as text.  Of what is left out only the structure is
// looked at: brackets, texts, commas.  So memory does not grow with an object, and nothing strange
// in a place that does not matter is in the way.  Not for several threads at once.
class JsonFilter {
 public:
  enum class Fed {
    kWantsMore,
    kStopped,    // a handler said so
    kMalformed,  // not a stream of objects, nested too deeply or too much to keep: nothing after
                 // this can be trusted
  };
  static constexpr std::size_t kLongestText = 4096;  // no name of an image is that long
  static constexpr std::size_t kMostKept = 16U << 20;
  static constexpr std::size_t kMostLevels = 10'000;  // as Go's encoding/json, so any object fits

  // Each returns whether to go on.
  using OnText = std::function<bool(std::string_view text)>;
  // `on_object`: each whole object.  `on_item`: each element of a kItems array, which the object
  // then does not have.  `keep` must live as long.
  JsonFilter(const Keep& keep, OnText on_object, OnText on_item = {});

  Fed Feed(std::string_view piece);
  // In the middle of an object: what came of it must be dropped.
  bool mid_object() const { return !open_.empty(); }

 private:
  enum class Expect { kValue, kFirstValue, kFirstKey, kKey, kColon, kComma };
  struct Open {
    const Keep* keep = nullptr;  // of its parts; null: none of them is kept
    bool kept = false;           // itself, perhaps without its parts
    bool object = false;
    bool items = false;
    bool wrote = false;                             // a part, so that a comma comes next
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
  const Keep* next_ = nullptr;  // of the value that comes; null: it is left out
  std::string key_;             // of that value, quoted
  bool names_image_ = false;    // the key does
  std::string kept_;            // of the object
  std::string item_;            // of an element of kItems
  std::string* out_ = &kept_;
  std::size_t item_level_ = 0;  // how many are open around it
  std::string text_;            // a string or number that is being read
  bool in_text_ = false;
  bool in_key_ = false;
  bool in_token_ = false;
  bool escaped_ = false;
  bool too_long_ = false;
  bool stopped_ = false;
};

// `key` is `name`, or is that of a field that stood once more in one object of kUnknown.
bool IsKeyOf(std::string_view key, std::string_view name);

}  // namespace imagesweep::kube
