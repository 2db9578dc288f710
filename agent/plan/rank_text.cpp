#include "agent/plan/rank_text.h"

#include "agent/plan/version.h"

namespace imagesweep {
namespace {

std::string Ordinal(int number) {
  const int last = number % 10;
  const bool teens = number / 10 % 10 == 1;
  const char* const ending = teens || last == 0 || last > 3 ? "th"
                             : last == 1                    ? "st"
                             : last == 2                    ? "nd"
                                                            : "rd";
  return std::to_string(number) + ending;
}

// The names that this name is ranked among.
std::string Peers(const NameStanding& standing) {
  if (!standing.tagged) return " among its digests, by first seen";
  const ImageName& name = standing.ranked_as != nullptr ? *standing.ranked_as : *standing.name;
  const TagVersion version = ReadTag(name.tag());
  if (version.kind == TagKind::kWord) return " among its tags without a version, by first seen";
  return " in scheme " + SchemeText(version) +
         (version.kind == TagKind::kCommit ? ", by first seen" : "");
}

}  // namespace

std::string RankText(const NameStanding& standing, int kept) {
  const int taken = standing.removes() && !standing.numbered() ? standing.in_use_elsewhere : 0;
  std::string text = standing.shared ? "tied for " : "";
  text += standing.place == 1 ? "newest of " : Ordinal(standing.place) + " newest of ";
  text += std::string(standing.name->repository()) + Peers(standing);
  if (taken > 0) text += ", after " + std::to_string(taken) + " in use";
  if (kept == 0) return text + "; none is kept";
  return text + (kept == 1 ? "; the newest is kept"
                           : "; the newest " + std::to_string(kept) + " are kept");
}

}  // namespace imagesweep
