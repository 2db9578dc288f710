#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace imagesweep {

// A command line that was given, where the parser's own view of it is not enough.
class GivenArguments {
 public:
  GivenArguments(int argc, const char* const* argv) : words_(argv + 1, argv + argc) {}

  // On the command line, not by its environment variable.
  bool Has(const CLI::Option& option) const;
  // The word before the first that is `word`; empty when there is none.
  std::string Before(const std::string& word) const;
  // Those of `words` that were given, in the order of the command line.
  std::vector<std::string> InOrder(std::vector<std::string> words) const;

 private:
  const std::vector<std::string> words_;
};

// What the parser's complaint should have said: which word is no command and what was probably
// meant, or that a switch takes its value after "=".  Empty: nothing better.
std::string BetterComplaint(const CLI::App& app, const GivenArguments& given);

// Which words the parser did not expect, in the order given, and which flag was probably meant.
std::string NotExpected(const CLI::App& app, const GivenArguments& given);

// The flags of `all` that were given and do nothing for a command that reads `read` alone: a
// complaint, or nothing.
std::string Unread(const std::vector<const CLI::Option*>& all, const std::vector<std::string>& read,
                   const std::string& command, const GivenArguments& given);

}  // namespace imagesweep
