#include "agent/daemon/policy_store.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "agent/base/codec.h"
#include "agent/policy/parse.h"

namespace imagesweep {
namespace {

constexpr std::streamsize kMaxFile = 1 << 20;
constexpr std::size_t kShownDigits = 12;  // of the SHA-256 of a policy

}  // namespace

Result<ActivePolicy> ParseActivePolicy(const std::string& text, const std::string& description) {
  auto policy = ParsePolicy(text);
  if (!policy) return std::move(policy).error();
  return ActivePolicy{
      *std::move(policy), {description, Sha256Hex(text).substr(0, kShownDigits)}, text};
}

Result<Policy> WithProfile(const ActivePolicy& active, Profile profile) {
  if (active.text.empty()) return Policy::Default(profile);
  auto policy = ParsePolicy(active.text, profile);
  if (!policy)
    return std::move(policy).error().Wrap("with profile " + std::string(ToString(profile)) +
                                          " the policy is invalid");
  return policy;
}

PolicyStore::Change PolicyStore::Offer(const std::string& text, const std::string& description) {
  if (state_.With(
          [&](const Current& state) { return state.last_text == text && state.problem.empty(); }))
    return Change::kNone;
  auto parsed = ParseActivePolicy(text, description);
  return state_.With([&](Current& state) {
    const bool same_bad =
        !parsed && state.last_text == text && state.problem == parsed.error().what;
    state.last_text = text;
    if (!parsed) {
      state.problem = parsed.error().what;
      return same_bad ? Change::kNone : Change::kRejected;
    }
    state.problem.clear();
    state.active = std::make_shared<const ActivePolicy>(*std::move(parsed));
    return Change::kLoaded;
  });
}

PolicyStore::Change PolicyStore::Unavailable(const std::string& why) {
  return state_.With([&](Current& state) {
    const bool news = state.problem != why;
    state.problem = why;
    state.last_text.reset();
    return news ? Change::kRejected : Change::kNone;
  });
}

std::shared_ptr<const ActivePolicy> PolicyStore::Active() const {
  return state_.With([](const Current& state) { return state.active; });
}

std::string PolicyStore::Problem() const {
  return state_.With([](const Current& state) { return state.problem; });
}

Result<std::string> ReadTextFile(const std::string& path) {
  std::error_code ignored;  // a path that cannot be checked cannot be opened either
  if (std::filesystem::is_directory(path, ignored))
    return Error{ErrorKind::kUnavailable, "cannot read " + path + ": it is a directory"};
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const int code = errno;
    return Error{code == EACCES ? ErrorKind::kDenied : ErrorKind::kNotFound,
                 "cannot read " + path + ": " + std::generic_category().message(code)};
  }
  std::string text(static_cast<std::size_t>(kMaxFile) + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return Error{ErrorKind::kInternal, "cannot read " + path};
  if (file.gcount() > kMaxFile) return Error{ErrorKind::kInvalid, path + " is larger than 1 MiB"};
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

Policy WithMinimumAge(Policy policy, Millis age) {
  policy.minimum_age = age;
  policy.disk.critical.minimum_age = age;
  for (Rule& rule : policy.rules) rule.minimum_age.reset();
  for (Override& other : policy.overrides)
    other.policy = std::make_shared<const Policy>(WithMinimumAge(*other.policy, age));
  return policy;
}

Result<ActivePolicy> LoadPolicyFile(const std::string& path) {
  auto text = ReadTextFile(path);
  if (!text) return std::move(text).error();
  auto parsed = ParseActivePolicy(*text, "file:" + path);
  if (!parsed) return Error{ErrorKind::kInvalid, path + ":\n" + parsed.error().what};
  return parsed;
}

}  // namespace imagesweep
