#include "agent/policy/render.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "agent/policy/fields.h"

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
    return "The first rule that selects a name decides for it; an image goes only when all its "
           "names may.\nEven with `Remove` it stays while a protection or the minimum age holds "
           "it.\n\n";
  if (field == "windows")
    return "By the clock on the wall of the time zone: an hour that daylight saving leaves out is "
           "in no\nwindow, one that it repeats is in it twice. `critical` disk use opens every "
           "window.\n\n";
  if (field == "overrides")
    return "Lists are replaced as a whole, everything else field by field. The labels are read "
           "again for\neach run.\n\n";
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

Image patterns are globs over whole image names as a runtime resolves them, registry included, not
regular expressions. `*` and `?` stay inside one part of the path, `**` crosses `/`.

A pattern is read as a pod's `image` is: `nginx`, `docker.io/nginx` and `index.docker.io/library/nginx`
are one repository. A pattern that names no registry means `docker.io`: `shop/**` is
`docker.io/shop/**` and matches nothing of `registry.example/shop` or of `shop.example`. The first
part names a registry when it has a dot, a colon or a wildcard, or is `localhost`. `redis:*` is every
tag and digest, like `redis`.

| Pattern | Matches | Does not match |
| --- | --- | --- |
| `nginx` | every tag and digest of `docker.io/library/nginx` | `registry.example/nginx` (see below) |
| `docker.io/**` | everything of Docker Hub | `registry-1.docker.io/library/nginx` (see below) |
| `shop/**` | everything below `docker.io/shop/` | `shop.example/api`, `registry.example/shop/api` |
| `shop.example/**` | everything in the registry `shop.example` | `docker.io/shop/api` |
| `shop.example/*` | `shop.example/api` | `shop.example/team/api` |
| `*/shop/*` | `shop/api` in any registry | `registry.example/shop/team/api` |
| `**/shop/**` | everything below a part `shop`, in any registry | `docker.io/workshop/api` |
| `**` | every image that has a name | |
| `*` | `docker.io/library/nginx` and its like, no other registry | `docker.io/shop/api` |
| `redis:7.*` | tags that begin with `7.` | `redis:latest`, `redis` by digest |
| `redis@sha256:…` | that digest | |
| `sha256:…` | the image with that id, or with an id that begins so (12 digits or more) | |

**Patterns that protect** (`keep.images`, rules with action `Keep`) also match whatever a runtime may
mean by the text: a registry in capital or small letters, `registry-1.docker.io` and
`registry.hub.docker.com` for `docker.io`, for a name without a registry and without wildcards the
same path in any registry, and for a digest or an id that very image, whatever its repository. All
other patterns match only what they say.

**Refused**, with the pattern that was probably meant, is what no image name can match or what may
mean two things: `ghcr.io` and `host:5000` (a registry without a repository: `ghcr.io/**`),
`docker.io/*` (`docker.io/**`), `redis:.*` (`redis:*`), `Shop/api` (`shop/api`), `29a9d1f50347`
(`sha256:29a9d1f50347`), `nginx@sha256:abcd`.

**Warned of** by `policy validate` are `*` alone and `registry.example/*`. Each plan and each run warns
of a pattern that protects and leaves out an image that its wider form (`**` for a `*` at its
beginning or its end) would keep, and of a pattern without a registry that matches no image of the
node but would with another registry; the warning names that image.

Tag patterns (`keep.tags`, `rules[].selector.tags`) are globs over the tag alone: `latest`, `prod-*`.
)";

}  // namespace

std::string PolicyReferenceMarkdown() {
  return "# Policy reference\n\n"
         "Every field of a policy document. A field that is left out has its default; a field "
         "that is\n"
         "not listed here is an error. Durations are written like `15m`, `1h30m` or `7d`, "
         "quantities\n"
         "of bytes like `20Gi`.\n\n" +
         TableRows(PolicyFields().Rows(Policy::Default(), "", 0)) + ItemPages() +
         "\n## Profiles\n\n"
         "What a profile sets where the document does not.\n\n" +
         ProfileRows() + std::string(kPatterns);
}

std::string PolicyJsonSchema() {
  Schema schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                   {"title", "imagesweep policy"}};
  schema.update(PolicyFields().ToSchema(Policy::Default()));
  return schema.dump(2);
}

}  // namespace imagesweep
