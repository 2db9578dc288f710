#include "agent/policy/render.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "agent/policy/fields.h"
#include "agent/policy/override.h"

namespace imagesweep {
namespace {

constexpr std::size_t kCommentWidth = 96;

// Comments stand above their field, broken into lines.
std::string Comment(std::string_view text, const std::string& indent) {
  std::string lines;
  std::string line;
  const auto flush = [&] {
    lines += indent + "#" + line + "\n";
    line.clear();
  };
  while (!text.empty()) {
    const auto space = text.find(' ');
    const auto word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    if (!line.empty() && indent.size() + line.size() + word.size() + 2 > kCommentWidth) flush();
    line += " " + std::string(word);
  }
  flush();
  return lines;
}

std::string Plain(std::string text) {
  std::erase(text, '`');
  return text;
}

std::string Yaml(const Policy& policy, bool comments) {
  std::string yaml;
  for (const auto& row : PolicyFields().Rows(policy, "", 0)) {
    const std::string indent(2 * static_cast<std::size_t>(row.depth), ' ');
    if (comments && !row.required) {
      const std::string allowed =
          row.type.allowed.empty() ? "" : " (" + Plain(row.type.allowed) + ")";
      yaml += Comment(row.meaning + allowed, indent);
    }
    yaml += indent + row.name + (row.group ? ":" : ": " + row.text) + "\n";
  }
  return yaml;
}

std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') cell += '\\';
    cell += c;
  }
  return cell;
}

}  // namespace

std::string PolicyYaml(const Policy& policy) {
  return Yaml(policy, false);
}

std::string DefaultPolicyYaml() {
  return Yaml(Policy::Default(), true);
}

namespace {

constexpr std::string_view kTableHead =
    "| Field | Type | Default | Meaning |\n"
    "| --- | --- | --- | --- |\n";

std::string TableRows(const std::vector<FieldRow>& rows) {
  std::string table(kTableHead);
  for (const auto& row : rows) {
    const std::string type =
        row.type.name + (row.type.allowed.empty() ? "" : ": " + row.type.allowed);
    std::string value = "`" + row.text + "`";
    if (row.required) value = "required";
    if (row.group || row.text.empty()) value.clear();
    table += "| `" + row.path + "` | " + Cell(type) + " | " + Cell(value) + " | " +
             Cell(row.meaning) + " |\n";
  }
  return table;
}

// What else there is to say of a list.
std::string_view Preface(std::string_view field) {
  if (field == "rules")
    return "The first rule that selects a name applies to it. An image is removed only if all of "
           "its names\npermit it. Even with `Remove`, an image stays while a protection or the "
           "minimum age applies.\n\n";
  if (field == "windows")
    return "Windows follow the local time of their time zone. An hour that daylight saving time "
           "skips is in\nno window. An hour that it repeats is in the window twice. `critical` "
           "disk usage opens every window.\n\n";
  if (field == "overrides")
    return "An override replaces a list as a whole and everything else field by field. Each run "
           "reads the\nlabels again.\n\n";
  return "";
}

std::string ItemPages() {
  std::string text;
  for (const ItemTable& table : ItemTables())
    text += "\n## " + table.title + "\n\nAn entry of `" + table.field + "`. " +
            std::string(Preface(table.field)) + (Preface(table.field).empty() ? "\n\n" : "") +
            TableRows(table.rows);
  return text;
}

// What each profile sets, by the same table.
std::string ProfileRows() {
  std::string table =
      "| Field | Conservative | Balanced | Aggressive |\n"
      "| --- | --- | --- | --- |\n";
  const auto conservative = PolicyFields().Rows(Policy::Default(Profile::kConservative), "", 0);
  const auto balanced = PolicyFields().Rows(Policy::Default(Profile::kBalanced), "", 0);
  const auto aggressive = PolicyFields().Rows(Policy::Default(Profile::kAggressive), "", 0);
  for (std::size_t i = 0; i < balanced.size(); ++i) {
    const bool same =
        conservative[i].text == balanced[i].text && balanced[i].text == aggressive[i].text;
    if (same || balanced[i].group || balanced[i].path == "profile") continue;
    table += "| `" + balanced[i].path + "` | `" + conservative[i].text + "` | `" +
             balanced[i].text + "` | `" + aggressive[i].text + "` |\n";
  }
  return table;
}

// Facts: agent/model/glob.h and pattern_check.h.
constexpr std::string_view kPatterns =
    R"(
## Patterns

Image patterns are globs over whole image names as a runtime resolves them, including the registry.
They are not regular expressions. `*` and `?` match within one part of the path. `**` also matches
`/`.

A pattern is read like the `image` of a pod: `nginx`, `docker.io/nginx`, and
`index.docker.io/library/nginx` are the same repository. A pattern without a registry means
`docker.io`: `shop/**` is `docker.io/shop/**` and matches nothing in `registry.example/shop` or in
`shop.example`. The first part is a registry if it has a dot, a colon, or a wildcard, or if it is
`localhost`. `redis:*` matches every tag and digest, like `redis`.

| Pattern | Matches | Does not match |
| --- | --- | --- |
| `nginx` | every tag and digest of `docker.io/library/nginx` | `registry.example/nginx` (see below) |
| `docker.io/**` | everything in Docker Hub | `registry-1.docker.io/library/nginx` (see below) |
| `shop/**` | everything below `docker.io/shop/` | `shop.example/api`, `registry.example/shop/api` |
| `shop.example/**` | everything in the registry `shop.example` | `docker.io/shop/api` |
| `shop.example/*` | `shop.example/api` | `shop.example/team/api` |
| `*/shop/*` | `shop/api` in any registry | `registry.example/shop/team/api` |
| `**/shop/**` | everything below a part `shop`, in any registry | `docker.io/workshop/api` |
| `**` | every image that has a name | |
| `*` | repositories like `docker.io/library/nginx`, in no other registry | `docker.io/shop/api` |
| `redis:7.*` | tags that begin with `7.` | `redis:latest`, `redis` by digest |
| `redis@sha256:…` | that digest | |
| `sha256:…` | the image with that ID, or with an ID that starts with these digits (12 or more) | |

**Patterns that protect** (`keep.images`, rules with action `Keep`) also match every image that a
runtime may mean by the text. They match a registry in upper and lower case, and
`registry-1.docker.io` and `registry.hub.docker.com` like `docker.io`. A name without a registry and
without wildcards matches the same path in any registry. A digest or an ID matches that image in any
repository. All other patterns match only their text.

**Refused patterns** can match no image name or may mean two things. The error has the pattern that
was probably meant: `ghcr.io` and `host:5000` (a registry without a repository: `ghcr.io/**`),
`docker.io/*` (`docker.io/**`), `redis:.*` (`redis:*`), `Shop/api` (`shop/api`), `29a9d1f50347`
(`sha256:29a9d1f50347`), `nginx@sha256:abcd`.

**Warnings.** `policy validate` warns of `*` alone and of `registry.example/*`. Each plan and each run
warns of a pattern that protects but misses an image that its wider form (`**` instead of `*` at its
beginning or end) would keep. They also warn of a pattern without a registry that matches no image of
the node but would match with another registry. The warning names that image.

Tag patterns (`keep.tags`, `rules[].selector.tags`) are globs over the tag only: `latest`, `prod-*`.
)";

}  // namespace

std::string PolicyReferenceMarkdown() {
  return "# Policy reference\n\n"
         "This page lists all fields of a policy document. A field that is not set has its "
         "default. A field\n"
         "that is not listed here is an error. Write durations like `15m`, `1h30m`, or `7d`, and "
         "quantities\n"
         "of bytes like `20Gi`.\n\n" +
         TableRows(PolicyFields().Rows(Policy::Default(), "", 0)) + ItemPages() +
         "\n## Profiles\n\n"
         "A profile sets these fields if the policy does not set them.\n\n" +
         ProfileRows() + std::string(kPatterns);
}

namespace {

// The parser reads a section without lines (null) as a section that is not written, but not within
// a list. Therefore this function does not enter the items of a list.
void AllowEmptySections(Schema& object) {
  for (auto& [name, field] : object.at("properties").items()) {
    const Schema type = field.value("type", Schema());
    if (type == "object") AllowEmptySections(field);
    if (type == "object" || type == "array") field["type"] = Schema::array({type, "null"});
  }
}

void RemoveDefaults(Schema& schema) {
  schema.erase("default");
  if (schema.contains("properties"))
    for (auto& [name, field] : schema["properties"].items()) RemoveDefaults(field);
  if (schema.contains("items")) RemoveDefaults(schema["items"]);
}

// The fields of an override, given the schema of the whole policy. The fields have no defaults,
// because the fields that an override leaves out have the values of the policy.
Schema PatchSchema(const Schema& policy) {
  Schema fields = Schema::object();
  for (const auto& [name, field] : policy.at("properties").items())
    if (CanBeOverridden(name)) fields[name] = field;
  Schema patch = {{"type", "object"},
                  {"additionalProperties", false},
                  {"minProperties", 1},
                  {"properties", std::move(fields)}};
  RemoveDefaults(patch);
  return patch;
}

}  // namespace

std::string PolicyJsonSchema() {
  Schema schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                   {"title", "imagesweep policy"}};
  schema.update(PolicyFields().ToSchema(Policy::Default()));
  AllowEmptySections(schema);
  schema["properties"]["overrides"]["items"]["properties"]["policy"].update(PatchSchema(schema));
  return schema.dump(2);
}

}  // namespace imagesweep
