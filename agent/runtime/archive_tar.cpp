#include "agent/runtime/archive_tar.h"

#include <algorithm>
#include <numeric>

#include "agent/base/parse_number.h"

namespace imagesweep {
namespace {

struct Field {
  std::size_t at;
  std::size_t size;
};
constexpr Field kName{0, 100}, kMode{100, 8}, kUid{108, 8}, kGid{116, 8}, kSize{124, 12},
    kTime{136, 12}, kSum{148, 8}, kType{156, 1}, kMagic{257, 8}, kPrefix{345, 155};
constexpr std::uint64_t kOctalLimit = std::uint64_t{1} << 33;  // 11 octal digits

void Put(TarBlock& block, Field field, std::string_view text) {
  std::ranges::copy(text.substr(0, field.size), block.begin() + static_cast<long>(field.at));
}

void PutOctal(TarBlock& block, Field field, std::uint64_t number) {
  std::string text(field.size - 1, '0');
  for (std::size_t at = text.size(); at-- > 0; number >>= 3)
    text[at] = static_cast<char>('0' + (number & 7));
  Put(block, field, text);
}

std::string_view Get(const TarBlock& block, Field field) {
  const std::string_view all(block.data() + field.at, field.size);
  return all.substr(0, all.find('\0'));
}

Result<std::uint64_t> GetNumber(const TarBlock& block, Field field) {
  const Error wrong{ErrorKind::kInvalid, "invalid numeric field"};
  if ((static_cast<unsigned char>(block[field.at]) & 0x80) != 0) {
    std::uint64_t number = 0;
    for (std::size_t at = field.at; at < field.at + field.size; ++at) {
      const auto byte = static_cast<unsigned char>(block[at]);
      const auto digit = at == field.at ? byte & 0x7F : byte;
      if (number >> 55 != 0) return wrong;
      number = number << 8 | static_cast<std::uint64_t>(digit);
    }
    return number;
  }
  std::string_view text = Get(block, field);
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  const auto number = ParseNumber<std::uint64_t>(text, 8);
  if (!number) return wrong;
  return *number;
}

// The checksum field itself counts as blanks.
std::uint64_t Checksum(TarBlock block) {
  std::fill_n(block.begin() + static_cast<long>(kSum.at), kSum.size, ' ');
  return std::accumulate(
      block.begin(), block.end(), std::uint64_t{0},
      [](std::uint64_t sum, char c) { return sum + static_cast<unsigned char>(c); });
}

}  // namespace

TarBlock TarHeader(const TarEntry& entry) {
  TarBlock block{};
  Put(block, kName, entry.name);
  PutOctal(block, kMode, 0644);
  PutOctal(block, kUid, 0);
  PutOctal(block, kGid, 0);
  PutOctal(block, kTime, 0);  // so that the same image gives the same file
  if (entry.size < kOctalLimit) {
    PutOctal(block, kSize, entry.size);
  } else {
    std::uint64_t left = entry.size;
    for (std::size_t at = kSize.at + kSize.size; at-- > kSize.at; left >>= 8)
      block[at] = static_cast<char>(left & 0xFF);
    block[kSize.at] = static_cast<char>(0x80);
  }
  Put(block, kType, "0");
  Put(block, kMagic, std::string_view("ustar\00000", 8));
  PutOctal(block, {kSum.at, 7}, Checksum(block));
  block[kSum.at + 7] = ' ';
  return block;
}

Result<TarEntry> ParseTarHeader(const TarBlock& block) {
  const auto sum = GetNumber(block, kSum);
  if (!sum || *sum != Checksum(block))
    return Error{ErrorKind::kInvalid, "not a tar file, or damaged"};
  const auto size = GetNumber(block, kSize);
  if (!size) return size.error();
  std::string name(Get(block, kName));
  if (const auto prefix = Get(block, kPrefix);
      Get(block, kMagic).starts_with("ustar") && !prefix.empty())
    name = std::string(prefix) + "/" + name;
  if (name.starts_with("./")) name.erase(0, 2);
  const char type = block[kType.at];
  return TarEntry{std::move(name), *size, type == '0' || type == '\0'};
}

bool IsEndOfTar(const TarBlock& block) {
  return std::ranges::all_of(block, [](char c) { return c == '\0'; });
}

}  // namespace imagesweep
