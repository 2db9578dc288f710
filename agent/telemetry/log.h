#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "agent/base/result.h"

namespace imagesweep {

enum class LogFormat { kText, kJson };

// Structured lines on stderr: a constant message and lowerCamelCase keys, one line per event, also
// if values contain line breaks.  Any thread.
class Log {
 public:
  using Value = std::variant<std::string, std::int64_t, double, bool>;
  struct Field {
    std::string_view key;
    Value value;
  };
  using Fields = std::initializer_list<Field>;

  // `level`: debug | info | warn | error; kInvalid for another level.
  static Result<std::shared_ptr<Log>> Create(LogFormat format, std::string_view level);
  ~Log();

  void Debug(std::string_view message, Fields fields = {});
  void Info(std::string_view message, Fields fields = {});
  void Warn(std::string_view message, Fields fields = {});
  void Error(std::string_view message, Fields fields = {});

 private:
  struct Impl;
  explicit Log(std::unique_ptr<Impl> impl);
  void Write(int level, std::string_view message, Fields fields);
  std::unique_ptr<Impl> impl_;
};

}  // namespace imagesweep
