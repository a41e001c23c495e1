#include "pipeline/key_set.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "data/builder.h"

namespace shaduf {
namespace {

// Against a naive twin, with so little memory that most keys live in runs and runs merge several times.
TEST(KeySet, AgreesWithASetWhenItSpills) {
    KeySet keys(1 << 16, testing::TempDir());
    std::set<KeyHash> twin;
    std::mt19937_64 random(7);
    for (int i = 0; i < 60'000; ++i) {
        const uint64_t number = random() % 40'000;
        std::mt19937_64 derive(number);
        const KeyHash key{derive(), derive()};
        const auto inserted = keys.insert(key);
        ASSERT_TRUE(inserted.ok()) << inserted.error().to_string();
        ASSERT_EQ(Result<bool>(inserted).release_value(), twin.insert(key).second) << "key number " << number;
    }
    EXPECT_EQ(keys.size(), twin.size());
    for (const auto& key : twin) ASSERT_TRUE(keys.contains(key).release_value());
    EXPECT_FALSE(keys.contains({1, 2}).release_value());
}

TEST(KeySet, HoldsTheKeyOfZeros) {
    KeySet keys(1 << 16, testing::TempDir());
    EXPECT_FALSE(keys.contains({0, 0}).release_value());
    EXPECT_TRUE(keys.insert({0, 0}).release_value());
    EXPECT_FALSE(keys.insert({0, 0}).release_value());
    EXPECT_TRUE(keys.contains({0, 0}).release_value());
}

TEST(KeySet, HoldsKeysThatAreNotSpreadEvenly) {
    KeySet keys(1 << 16, testing::TempDir());
    for (uint64_t i = 0; i < 10'000; ++i) ASSERT_TRUE(keys.insert({i, ~i}).release_value());
    for (uint64_t i = 0; i < 10'000; ++i) ASSERT_FALSE(keys.insert({i, ~i}).release_value());
}

TEST(KeySet, SaysWhereItCouldNotSpill) {
    KeySet keys(1 << 16, "/nowhere/at/all");
    Result<bool> last = true;
    for (uint64_t i = 0; i < 10'000 && last.ok(); ++i) last = keys.insert({i, i});
    ASSERT_FALSE(last.ok());
    EXPECT_NE(last.error().message().find("/nowhere/at/all"), std::string::npos);
}

TEST(KeySet, HashesEqualValuesAlikeAndOthersApart) {
    auto schema = std::make_shared<const Schema>(
        std::vector<Field>{{"a", TypeKind::string}, {"b", TypeKind::string}, {"c", TypeKind::float64}});
    RecordBatchBuilder rows(schema);
    const auto add = [&](const char* a, const char* b, double c) {
        a == nullptr ? rows.column(0).append_null() : rows.column(0).append_text(a);
        rows.column(1).append_text(b);
        rows.column(2).append_float64(c);
        rows.end_row();
    };
    add("ab", "c", 0.0);
    add("a", "bc", 0.0);
    add("ab", "c", -0.0);
    add(nullptr, "c", 0.0);
    add("", "c", 0.0);
    std::vector<bool> has_null;
    const auto hashes = hash_keys(rows.finish(), {0, 1, 2}, &has_null);
    EXPECT_EQ(hashes[0], hashes[2]);
    EXPECT_EQ(has_null, (std::vector<bool>{false, false, false, true, false}));
    EXPECT_EQ(std::set<KeyHash>(hashes.begin(), hashes.end()).size(), 4U);
}

}  // namespace
}  // namespace shaduf
