#include "agent/imagestore/graph/record_names.h"

#include <gmock/gmock.h>

#include "tests/support/images.h"

namespace imagesweep::layers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Names(const Image& image, const std::vector<std::string>& records) {
  std::vector<NativeRecord> native;
  for (const std::string& name : records) native.push_back({.name = name, .target = "sha256:m"});
  std::vector<std::string> texts;
  for (const ImageName& name : NamesBesideTheCri(image, native)) texts.push_back(name.text());
  return texts;
}

TEST(RecordNames, ListNamesThatTheCriHidesNormalisedAndOnce) {
  const Image image = Img("a", {"registry.example/team/app:v1"});
  EXPECT_THAT(Names(image, {"registry.corp/base/app", "registry.corp/base/app:latest", "golden",
                            "registry.example/team/app:v1"}),
              ElementsAre("registry.corp/base/app:latest", "docker.io/library/golden:latest"));
}

TEST(RecordNames, OmitNamesThatTheCriShowsIdsAndDigests) {
  const Image image = Img("a", {"registry.example/team/app:v1"});
  EXPECT_THAT(
      Names(image, {"registry.example/team/app:v1", "sha256:0123", "overlayfs@sha256:0123"}),
      IsEmpty());
}

}  // namespace
}  // namespace imagesweep::layers
