#include "agent/server/web/query.h"

#include "agent/base/codec.h"
#include "agent/server/web/html.h"

namespace imagesweep::web {
namespace {

constexpr std::size_t kMaxSearch = 200;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string Decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      decoded += ' ';
      continue;
    }
    const bool escape = text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
                        HexDigit(text[i + 2]) >= 0;
    if (!escape) {
      decoded += text[i];
      continue;
    }
    decoded += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
    i += 2;
  }
  return decoded;
}

constexpr SortBy kAllSorts[] = {SortBy::kVerdict, SortBy::kName,    SortBy::kCode, SortBy::kReason,
                                SortBy::kAge,     SortBy::kLastUse, SortBy::kSize};

}  // namespace

std::string_view ToString(SortBy by) {
  switch (by) {
    case SortBy::kVerdict:
      return "verdict";
    case SortBy::kName:
      return "name";
    case SortBy::kCode:
      return "code";
    case SortBy::kReason:
      return "reason";
    case SortBy::kAge:
      return "age";
    case SortBy::kLastUse:
      return "lastUse";
    case SortBy::kSize:
      return "size";
  }
  return "";
}

std::map<std::string, std::string> ParseQuery(std::string_view query) {
  std::map<std::string, std::string> fields;
  while (!query.empty()) {
    const auto end = query.find('&');
    const std::string_view field = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    const auto equals = field.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : field.substr(equals + 1);
    if (!field.empty()) fields.emplace(Decoded(field.substr(0, equals)), Decoded(value));
  }
  return fields;
}

ImageQuery ImageQueryOf(std::string_view query) {
  auto fields = ParseQuery(query);
  ImageQuery wanted;
  wanted.search = fields["q"].substr(0, kMaxSearch);
  for (const Verdict verdict : {Verdict::kKeep, Verdict::kRemove, Verdict::kDefer})
    if (fields["verdict"] == ToString(verdict)) wanted.verdict = verdict;
  for (const SortBy by : kAllSorts)
    if (fields["sort"] == ToString(by)) wanted.by = by;
  wanted.descending = fields["order"] == "desc";
  return wanted;
}

std::string ToQuery(const ImageQuery& query) {
  return "q=" + UrlEncoded(query.search) +
         "&verdict=" + std::string(query.verdict ? ToString(*query.verdict) : "") +
         "&sort=" + std::string(ToString(query.by)) +
         "&order=" + (query.descending ? "desc" : "asc");
}

}  // namespace imagesweep::web
