#include "agent/report/render/yaml.h"

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <nlohmann/json.hpp>

namespace imagesweep {
namespace {

using Json = nlohmann::ordered_json;

void Emit(YAML::Emitter& out, const Json& json) {
  if (json.is_object() && !json.empty()) {
    out << YAML::BeginMap;
    for (const auto& [key, value] : json.items()) {
      out << YAML::Key << key << YAML::Value;
      Emit(out, value);
    }
    out << YAML::EndMap;
  } else if (json.is_array() && !json.empty()) {
    out << YAML::BeginSeq;
    for (const Json& item : json) Emit(out, item);
    out << YAML::EndSeq;
  } else if (json.is_object()) {
    out << YAML::Flow << YAML::BeginMap << YAML::EndMap;
  } else if (json.is_array()) {
    out << YAML::Flow << YAML::BeginSeq << YAML::EndSeq;
  } else if (json.is_string()) {
    // Always quoted, so that "1.10" and "no" stay strings for every reader.
    out << YAML::DoubleQuoted << json.get<std::string>();
  } else if (json.is_null()) {
    out << YAML::Null;
  } else if (json.is_boolean()) {
    out << json.get<bool>();
  } else if (json.is_number_float()) {
    out << json.get<double>();
  } else if (json.is_number_unsigned()) {
    out << json.get<std::uint64_t>();
  } else {
    out << json.get<std::int64_t>();
  }
}

}  // namespace

std::string JsonToYaml(const std::string& json) {
  YAML::Emitter out;
  Emit(out, Json::parse(json));
  return out.c_str();
}

}  // namespace imagesweep
