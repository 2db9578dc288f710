#include "agent/gc/observe/image_filesystem.h"

#include <gtest/gtest.h>

namespace imagesweep {
namespace {

// K09: impossible figures.
TEST(Filesystem, RejectsAZeroCapacityAndClampsImpossibleFigures) {
  EXPECT_FALSE(CheckedUsage({"/", 0, 0, 0, 0}));
  const auto clamped = CheckedUsage({"/", 1000, 1200, 10, 20});
  ASSERT_TRUE(clamped);
  EXPECT_EQ(clamped->available_bytes, 1000U);
  EXPECT_EQ(clamped->inodes_free, 10U);
  EXPECT_EQ(clamped->used_percent(), 0);
}

TEST(Filesystem, ReadsARealFilesystemAndFailsOnAMissingPath) {
  StatvfsFilesystem filesystem;
  const auto root = filesystem.Stat("/");
  ASSERT_TRUE(root);
  EXPECT_GT(root->capacity_bytes, 0U);
  const auto missing = filesystem.Stat("/no/such/directory");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace imagesweep
