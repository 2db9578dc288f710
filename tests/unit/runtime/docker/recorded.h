#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace imagesweep::docker {

// The files in tests/support/docker, with the answers of real daemons.
inline const char* const kRecorded20 = "docker-20.10.json";
inline const char* const kRecorded29 = "docker-29.json";

// One answer: {"request", "status", "headers", "body" or "stream" or "text"}.
inline nlohmann::json RecordedAnswer(const std::string& file, const std::string& key) {
  std::ifstream stream(IMAGESWEEP_SOURCE_DIR "/tests/support/docker/" + file);
  const auto all = nlohmann::json::parse(stream);
  EXPECT_TRUE(all.contains(key)) << file << " has no " << key;
  return all.value(key, nlohmann::json());
}

// The body as the daemon sent it.
inline std::string RecordedBody(const std::string& file, const std::string& key) {
  const auto answer = RecordedAnswer(file, key);
  if (answer.contains("text")) return answer["text"];
  if (answer.contains("body")) return answer["body"].dump();
  std::string lines;
  for (const auto& line : answer["stream"]) lines += line.dump() + "\r\n";
  return lines;
}

}  // namespace imagesweep::docker
