#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

// Reads our HTML and is strict about its promises (matching tags, quoted attributes, no unescaped <
// & or quote), so that text that became markup is a failure.

namespace imagesweep::web {

struct Element {
  std::string tag;
  std::map<std::string, std::string> attributes;
  std::string text;  // of the element and everything inside it, decoded
  std::vector<std::unique_ptr<Element>> children;

  // The element and all matching elements below it, in document order.
  std::vector<const Element*> All(const std::function<bool(const Element&)>& fits) const {
    std::vector<const Element*> found;
    Collect(fits, found);
    return found;
  }
  std::vector<const Element*> All(const std::string& wanted) const {
    return All([&](const Element& one) { return one.tag == wanted; });
  }
  // Null if there is none.
  const Element* ById(const std::string& id) const {
    const auto found = All([&](const Element& one) {
      const auto at = one.attributes.find("id");
      return at != one.attributes.end() && at->second == id;
    });
    EXPECT_LE(found.size(), 1U) << "id " << id << " is not unique";
    return found.empty() ? nullptr : found.front();
  }

 private:
  void Collect(const std::function<bool(const Element&)>& fits,
               std::vector<const Element*>& found) const {
    if (fits(*this)) found.push_back(this);
    for (const auto& child : children) child->Collect(fits, found);
  }
};

class MarkupReader {
 public:
  static std::unique_ptr<Element> Read(std::string_view html) {
    MarkupReader reader(html);
    return reader.Document();
  }

 private:
  explicit MarkupReader(std::string_view html) : rest_(html) {}

  std::unique_ptr<Element> Document() {
    auto root = std::make_unique<Element>();
    open_ = {root.get()};
    const std::string_view doctype = "<!DOCTYPE html>";
    EXPECT_TRUE(rest_.starts_with(doctype));
    rest_.remove_prefix(doctype.size());
    while (!rest_.empty() && !testing::Test::HasFailure()) {
      if (rest_.starts_with("</"))
        CloseTag();
      else if (rest_.starts_with('<'))
        OpenTag();
      else
        AddText(Decoded(UpTo("<")));
    }
    EXPECT_EQ(open_.size(), 1U) << "<" << open_.back()->tag << "> is not closed";
    return root;
  }

  std::string_view UpTo(std::string_view end) {
    const auto at = std::min(rest_.find(end), rest_.size());
    const auto part = rest_.substr(0, at);
    rest_.remove_prefix(at);
    return part;
  }
  bool Skip(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  void AddText(const std::string& text) {
    for (Element* element : open_) element->text += text;
  }
  // The end tags that HTML makes optional and that we leave out.
  void CloseImplied(const std::string& tag) {
    const std::set<std::string> ends = tag == "td"   ? std::set<std::string>{"td"}
                                       : tag == "tr" ? std::set<std::string>{"td", "tr"}
                                                     : std::set<std::string>{};
    while (ends.contains(open_.back()->tag)) open_.pop_back();
  }

  void OpenTag() {
    rest_.remove_prefix(1);
    auto element = std::make_unique<Element>();
    while (!rest_.empty() && (std::isalnum(static_cast<unsigned char>(rest_[0])) != 0)) {
      element->tag += rest_[0];
      rest_.remove_prefix(1);
    }
    ASSERT_FALSE(element->tag.empty()) << "a loose < before " << rest_.substr(0, 40);
    CloseImplied(element->tag);
    while (Skip(" ")) {
      const std::string name(rest_.substr(0, rest_.find_first_of("= >/\"'<")));
      rest_.remove_prefix(name.size());
      ASSERT_FALSE(name.empty()) << rest_.substr(0, 40);
      ASSERT_FALSE(name.starts_with("on")) << "an event handler";
      ASSERT_NE(name, "style") << "the policy of the page forbids it";
      std::string value;
      if (Skip("=")) {
        ASSERT_TRUE(Skip("\"")) << "an attribute without quotes before " << rest_.substr(0, 40);
        value = Decoded(UpTo("\""));
        ASSERT_TRUE(Skip("\""));
      }
      ASSERT_TRUE(element->attributes.emplace(name, value).second) << name << " twice";
    }
    const bool ended = Skip("/>");
    ASSERT_TRUE(ended || Skip(">")) << "before " << rest_.substr(0, 40);
    Element* const added = element.get();
    open_.back()->children.push_back(std::move(element));
    static const std::set<std::string> kVoid{"meta", "link", "input"};
    if (ended || kVoid.contains(added->tag)) return;
    open_.push_back(added);
    if (added->tag == "style" || added->tag == "script") added->text = UpTo("</" + added->tag);
  }

  void CloseTag() {
    rest_.remove_prefix(2);
    const std::string tag(UpTo(">"));
    ASSERT_TRUE(Skip(">"));
    if (tag == "tbody") CloseImplied("tr");
    ASSERT_EQ(tag, open_.back()->tag) << "closed too early";
    open_.pop_back();
  }

  static std::string Decoded(std::string_view text) {
    static const std::map<std::string_view, char> kEntities{
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"#39", '\''}};
    std::string decoded;
    while (!text.empty()) {
      if (text[0] != '&') {
        EXPECT_EQ(std::string_view("<>\"").find(text[0]), std::string_view::npos)
            << "a loose " << text[0] << " in " << text.substr(0, 40);
        decoded += text[0];
        text.remove_prefix(1);
        continue;
      }
      const auto end = std::min(text.find(';'), text.size() - 1);
      const auto entity = kEntities.find(text.substr(1, end - 1));
      EXPECT_NE(entity, kEntities.end()) << "a loose & in " << text.substr(0, 40);
      if (entity != kEntities.end()) decoded += entity->second;
      text.remove_prefix(end + 1);
    }
    return decoded;
  }

  std::string_view rest_;
  std::vector<Element*> open_;
};

}  // namespace imagesweep::web
