#pragma once

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "agent/kube/client/strict_json.h"

namespace imagesweep::kube {

// Random JSON in unusual notation: keys in any order, blanks anywhere, and characters escaped or
// not.
class RandomJson {
 public:
  explicit RandomJson(std::uint64_t seed) : random_(seed) {}

  std::size_t Below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
  }
  bool Chance(int percent) { return Below(100) < static_cast<std::size_t>(percent); }

  // Any value, with the relevant keys in places where they have no meaning.
  Json Noise(int levels = 4) {
    static const char* const kKeys[] = {"name",  "image",    "spec",    "status", "containers",
                                        "items", "metadata", "volumes", "a\"b",   "\xc3\xbc"};
    const std::size_t kind = Below(levels > 0 ? 7 : 5);
    if (kind == 0) return nullptr;
    if (kind == 1) return Chance(50);
    if (kind == 2) return static_cast<std::int64_t>(Below(1'000'000)) - 500'000;
    if (kind == 3) return "noise \"\\}{][,: \xe2\x82\xac " + std::string(Below(30), 'x');
    if (kind == 4) return 0.5;
    Json made = kind == 5 ? Json::array() : Json::object();
    for (std::size_t i = Below(5); i > 0; --i) {
      if (kind == 5) {
        made.push_back(Noise(levels - 1));
      } else {
        made[kKeys[Below(std::size(kKeys))]] = Noise(levels - 1);
      }
    }
    return made;
  }

  // Some keys that the object does not have yet.
  void AddNoise(Json& object) {
    for (std::size_t i = Below(4); i > 0; --i) object["x" + std::to_string(Below(100))] = Noise();
  }

  std::string Write(const Json& json) {
    if (json.is_string()) return Blank() + Quoted(json.get<std::string>()) + Blank();
    if (!json.is_structured()) return Blank() + json.dump() + Blank();
    std::vector<std::string> parts;
    for (const auto& [key, value] : json.items())
      parts.push_back(json.is_array() ? Write(value)
                                      : Blank() + Quoted(key) + Blank() + ":" + Write(value));
    if (json.is_object()) std::ranges::shuffle(parts, random_);
    std::string text = json.is_array() ? "[" : "{";
    for (std::size_t i = 0; i < parts.size(); ++i) text += (i == 0 ? "" : ",") + parts[i];
    return text + Blank() + (json.is_array() ? "]" : "}");
  }

 private:
  std::string Blank() {
    static const char* const kBlanks[] = {"", "", "", " ", "\n", "\t \r"};
    return kBlanks[Below(std::size(kBlanks))];
  }
  std::string Quoted(const std::string& text) {
    if (!Chance(20)) return Json(text).dump();
    std::string quoted = "\"";
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x80 && (byte < 0x20 || c == '"' || c == '\\' || Chance(50))) {
        char escaped[8];
        std::snprintf(escaped, sizeof escaped, "\\u%04x", byte);
        quoted += escaped;
      } else {
        quoted += c;
      }
    }
    return quoted + "\"";
  }

  std::mt19937_64 random_;
};

}  // namespace imagesweep::kube
