#include "agent/app/policy_choice.h"

#include <gtest/gtest.h>

namespace imagesweep {
namespace {

struct Step {
  char who;  // b: the base's text, o: the override's
  Result<std::string> text;
  std::string in_force;  // what is offered then; empty: nothing
};

TEST(PolicyChoiceTest, TheOverrideIsThePolicyWhileItExists) {
  const Error none{ErrorKind::kNotFound, "does not exist"};
  const Error denied{ErrorKind::kDenied, "forbidden"};
  const Error no_key{ErrorKind::kInvalid, "has no key"};
  const std::vector<std::vector<Step>> cases = {
      {{'b', std::string("1"), ""}, {'o', none, "base 1"}, {'b', std::string("2"), "base 2"}},
      {{'o', none, ""}, {'b', std::string("1"), "base 1"}},
      {{'o', std::string("x"), "override x"}, {'b', std::string("1"), "override x"}},
      {{'b', std::string("1"), ""},
       {'o', none, "base 1"},
       {'o', std::string("x"), "override x"},
       {'o', std::string("y"), "override y"},
       {'o', none, "base 1"}},
      // Not to be read is not to be absent: the base may be the very thing it was to replace.
      {{'b', std::string("1"), ""}, {'o', denied, "override forbidden"}, {'o', none, "base 1"}},
      {{'b', std::string("1"), ""}, {'o', no_key, "override has no key"}},
      {{'o', none, ""}, {'b', denied, "base forbidden"}},
  };
  for (const auto& steps : cases) {
    std::string offered;
    PolicyChoice choice("base", "override", [&](const auto& text, const std::string& from) {
      offered = from + " " + (text ? *text : text.error().what);
    });
    for (const Step& step : steps) {
      offered.clear();
      if (step.who == 'b')
        choice.SetBase(step.text);
      else
        choice.SetOverride(step.text);
      EXPECT_EQ(offered, step.in_force) << &step - steps.data();
    }
  }
}

}  // namespace
}  // namespace imagesweep
