#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace imagesweep {

// The words of the command line, for questions that the parser cannot answer.
class GivenArguments {
 public:
  GivenArguments(int argc, const char* const* argv) : words_(argv + 1, argv + argc) {}

  // True if set on the command line, not by its environment variable.
  bool Has(const CLI::Option& option) const;
  // The word before the first `word`; empty: none.
  std::string Before(const std::string& word) const;
  // `words` in the order of the command line.
  std::vector<std::string> InOrder(std::vector<std::string> words) const;

 private:
  const std::vector<std::string> words_;
};

// A better error than the parser's: an unknown command with a suggestion, or a switch that takes
// its value after "=".  Empty: none.
std::string ExplainUsageError(const CLI::App& app, const GivenArguments& given);

// The error for unexpected words, in their order, with a suggestion for a flag.
std::string UnusedFlags(const CLI::App& app, const GivenArguments& given);

// The error for a flag of `all` that was given, but that is not in `read`, the flags that the
// command supports.  Empty: none.
std::string Unread(const std::vector<const CLI::Option*>& all, const std::vector<std::string>& read,
                   const std::string& command, const GivenArguments& given);

}  // namespace imagesweep
