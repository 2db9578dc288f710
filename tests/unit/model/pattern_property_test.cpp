#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "agent/model/glob.h"
#include "agent/model/image_index.h"
#include "agent/model/pattern_check.h"
#include "tests/support/images.h"

// A pattern has the meaning that the same text has in a pod, on random names in every spelling.

namespace imagesweep {
namespace {

constexpr int kNodes = 5'500;
constexpr int kTextsPerNode = 20;
constexpr std::size_t kFewestCases = 100'000;

class Names {
 public:
  explicit Names(std::uint64_t seed) : random_(seed) {}

  bool Chance(int percent) { return Below(100) < percent; }
  int Below(int end) { return std::uniform_int_distribution<int>(0, end - 1)(random_); }
  std::string OneOf(std::initializer_list<const char*> texts) {
    return texts.begin()[Below(static_cast<int>(texts.size()))];
  }
  std::string Hex(std::size_t digits) {
    std::string hex;
    while (hex.size() < digits) hex += "0123456789abcdef"[Below(16)];
    return hex;
  }

  // From few values, so that names are often equal.
  std::string Registry() {
    return OneOf({"", "", "docker.io/", "index.docker.io/", "registry-1.docker.io/", "quay.io/",
                  "Quay.io/", "QUAY.IO/", "localhost/", "localhost:5000/", "host:5000/",
                  "reg.example:443/", "Reg.example:443/", "[fd00::1]:5000/"});
  }
  std::string Path() {
    std::string path = OneOf({"", "", "library/", "team/", "team/sub/", "a__b/"});
    return path + OneOf({"app", "nginx", "cafe", "deadbeefcafe", "0", "host", "my.app", "a-b"});
  }
  std::string Tag() {
    return OneOf({"latest", "1", "1.25", "v1", "V1.0-Alpine", "5000", "prod-.1", "_x"});
  }

  Image MakeImage() {
    Image image;
    image.id = ImageId((Chance(20) ? "" : "sha256:") + Hex(64));
    for (int tags = Below(3); tags > 0; --tags)
      image.tags.push_back(ImageName::Parse(Registry() + Path() + ":" + Tag()));
    for (int digests = Below(3); digests > 0; --digests)
      image.digests.push_back(ImageName::Parse(Registry() + Path() + "@sha256:" + Hex(64)));
    return image;
  }

  // A reference as in a pod, often to one of the images.
  std::string Reference(const std::vector<Image>& images) {
    const Image& image = images[static_cast<std::size_t>(Below(static_cast<int>(images.size())))];
    std::string digest = "sha256:" + Hex(64);
    if (Chance(50)) digest = "sha256:" + image.id.text().substr(image.id.text().size() - 64);
    if (!image.digests.empty() && Chance(50)) digest = image.digests.front().digest();
    switch (Below(8)) {
      case 0:
        return digest;
      case 1:
        return digest.substr(7);
      case 2:
        return Registry() + Path() + "@" + digest;
      case 3:
        return Registry() + Path() + ":" + Tag() + "@" + digest;
      case 4:
        return Registry() + Path();
      case 5:
        if (!image.tags.empty()) return image.tags.front().text();
        [[fallthrough]];
      default:
        return Registry() + Path() + ":" + Tag();
    }
  }

 private:
  std::mt19937_64 random_;
};

// The texts with two possible meanings, which a policy must spell out.
bool IsAmbiguous(const std::string& text) {
  if (text.find('/') != std::string::npos || text.find('@') != std::string::npos) return false;
  const auto colon = std::min(text.find(':'), text.size());
  const std::string word = text.substr(0, colon);
  const std::string tag = colon == text.size() ? "" : text.substr(colon + 1);
  if (tag == "5000" || (tag.empty() && word == "deadbeefcafe")) return true;
  return word == "my.app" && tag.find_first_not_of("0123456789") == std::string::npos;
}

TEST(PatternProperty, ATextAsAPatternKeepsEveryImageThatAPodMayMeanByIt) {
  Names names(17);
  std::size_t cases = 0, kept = 0;
  for (int node = 0; node < kNodes; ++node) {
    std::vector<Image> images;
    while (images.size() < 6) images.push_back(names.MakeImage());
    const ImageIndex index(images);
    for (int i = 0; i < kTextsPerNode; ++i) {
      const std::string text = names.Reference(images);
      const auto pattern = ImageGlob::Parse(text);
      const bool refused = IsAmbiguous(text);
      ASSERT_EQ(!pattern, refused) << text << (pattern ? "" : pattern.error().what);
      ++cases;
      if (refused) continue;
      for (const auto at : index.Resolve(text)) {
        ++kept;
        ASSERT_TRUE(pattern->Keeps(At(images, at)))
            << text << " means " << At(images, at).display_name() << " "
            << At(images, at).id.text();
      }
    }
  }
  EXPECT_GE(cases, kFewestCases);
  EXPECT_GE(kept, kFewestCases / 5);
}

// Has the meaning of `text` as a reference: a rule that removes may not select more.
bool SaysName(const std::string& text, const ImageName& name) {
  const ImageName said = ImageName::Parse(text);
  if (said.repository() != name.repository()) return false;
  if (!said.digest().empty()) return said.digest() == name.digest();
  const bool tagged = text.ends_with(":" + std::string(said.tag()));
  return !tagged || said.tag() == name.tag();
}

TEST(PatternProperty, ATextAsASelectorSelectsNoNameThatItDoesNotSay) {
  Names names(18);
  std::size_t cases = 0, selected = 0;
  for (int node = 0; node < kNodes; ++node) {
    std::vector<Image> images;
    while (images.size() < 6) images.push_back(names.MakeImage());
    for (int i = 0; i < kTextsPerNode; ++i) {
      const std::string text = names.Reference(images);
      const auto pattern = ImageGlob::Parse(text);
      if (!pattern) continue;
      ++cases;
      for (const Image& image : images) {
        std::vector<ImageName> all = image.tags;
        all.insert(all.end(), image.digests.begin(), image.digests.end());
        for (const ImageName& name : all) {
          const bool is_id = pattern->is_id();
          const bool selects = pattern->Matches(name);
          selected += selects ? 1 : 0;
          ASSERT_EQ(selects, !is_id && SaysName(text, name)) << text << " and " << name.text();
        }
        if (pattern->is_id()) {
          const std::string& id = image.id.text();
          ASSERT_EQ(pattern->Matches(image),
                    id.substr(id.size() - 64) == text.substr(text.size() - 64));
        }
      }
    }
  }
  EXPECT_GE(cases, kFewestCases);
  EXPECT_GE(selected, kFewestCases / 20);
}

}  // namespace
}  // namespace imagesweep
