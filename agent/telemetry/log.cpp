#include "agent/telemetry/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "agent/base/clock.h"
#include "agent/report/render/printable.h"

namespace imagesweep {
namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const Log::Value& value) {
  return std::visit([](const auto& v) { return Json(v); }, value);
}

std::string JsonLine(std::string_view level, std::string_view message, Log::Fields fields) {
  Json line = {{"time", FormatTime(RealClock().Now())}, {"level", level}, {"msg", message}};
  for (const auto& [key, value] : fields) line[std::string(key)] = ToJson(value);
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string TextLine(std::string_view level, std::string_view message, Log::Fields fields) {
  std::string line =
      FormatTime(RealClock().Now()) + " " + std::string(level) + " " + std::string(message);
  for (const auto& [key, value] : fields) {
    line += " " + std::string(key) + "=";
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) {
      line += ToJson(value).dump();
    } else if (text->find_first_of(" \"=") == std::string::npos && !text->empty()) {
      line += Printable(*text);
    } else {
      line += "\"" + Printable(*text) + "\"";
    }
  }
  return line;
}

}  // namespace

struct Log::Impl {
  LogFormat format = LogFormat::kText;
  std::shared_ptr<spdlog::logger> logger;
};

Log::Log(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Log::~Log() = default;

Result<std::shared_ptr<Log>> Log::Create(LogFormat format, std::string_view level) {
  const auto parsed = spdlog::level::from_str(std::string(level));
  if (level != "debug" && level != "info" && level != "warn" && level != "error")
    return imagesweep::Error{ErrorKind::kInvalid, "--log-level: \"" + std::string(level) +
                                                      "\" is not one of debug, info, warn, error"};
  auto impl = std::make_unique<Impl>();
  impl->format = format;
  impl->logger = std::make_shared<spdlog::logger>(
      "imagesweep", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  impl->logger->set_pattern("%v");
  impl->logger->set_level(parsed);
  impl->logger->flush_on(spdlog::level::debug);
  return std::shared_ptr<Log>(new Log(std::move(impl)));
}

void Log::Write(int level, std::string_view message, Fields fields) {
  const auto severity = static_cast<spdlog::level::level_enum>(level);
  if (!impl_->logger->should_log(severity)) return;
  const std::string_view name = severity == spdlog::level::warn    ? "warn"
                                : severity == spdlog::level::err   ? "error"
                                : severity == spdlog::level::debug ? "debug"
                                                                   : "info";
  const std::string line = impl_->format == LogFormat::kJson ? JsonLine(name, message, fields)
                                                             : TextLine(name, message, fields);
  impl_->logger->log(severity, spdlog::string_view_t(line));
}

void Log::Debug(std::string_view message, Fields fields) {
  Write(spdlog::level::debug, message, fields);
}
void Log::Info(std::string_view message, Fields fields) {
  Write(spdlog::level::info, message, fields);
}
void Log::Warn(std::string_view message, Fields fields) {
  Write(spdlog::level::warn, message, fields);
}
void Log::Error(std::string_view message, Fields fields) {
  Write(spdlog::level::err, message, fields);
}

}  // namespace imagesweep
