#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/postgres/copy_decoder.h"

namespace shaduf {
namespace {

std::string big_endian(uint64_t value, int size) {
    std::string bytes;
    for (int i = size - 1; i >= 0; --i) bytes += static_cast<char>(value >> (8 * i));
    return bytes;
}

// A binary COPY of one column.
std::string copy_of(const std::vector<std::optional<std::string>>& values) {
    std::string bytes("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
    for (const auto& value : values) {
        bytes += big_endian(1, 2) + big_endian(value ? value->size() : UINT32_MAX, 4) + value.value_or("");
    }
    return bytes + big_endian(0xFFFF, 2);
}

std::string numeric(int weight, int sign, int scale, const std::vector<int>& digits) {
    std::string bytes = big_endian(digits.size(), 2) + big_endian(static_cast<uint64_t>(weight), 2) +
                        big_endian(static_cast<uint64_t>(sign), 2) + big_endian(static_cast<uint64_t>(scale), 2);
    for (const int digit : digits) bytes += big_endian(static_cast<uint64_t>(digit), 2);
    return bytes;
}

struct Case {
    std::string bytes;
    std::string text;     // exactly
    std::string decimal;  // of scale 2; a "!" has no place there
};

TEST(PostgresCopy, ReadsNumericsExactly) {
    const Case kCases[] = {
        {numeric(0, 0, 0, {}), "0", "0.00"},
        {numeric(0, 0, 2, {12, 5000}), "12.50", "12.50"},
        {numeric(1, 0x4000, 1, {1, 0, 5000}), "-10000.5", "-10000.50"},
        {numeric(2, 0, 0, {7}), "700000000", "700000000.00"},
        {numeric(-2, 0, 6, {100}), "0.000001", "!"},
        {numeric(-1, 0, 4, {1200}), "0.1200", "0.12"},
        {numeric(8, 0, 0, {9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999}), std::string(36, '9'),
         std::string(36, '9') + ".00"},
        {numeric(9, 0, 0, {1}), "1" + std::string(36, '0'), "!"},
        {numeric(40, 0, 0, {1}), "1" + std::string(160, '0'), "!"},
        {numeric(0, 0xC000, 0, {}), "NaN", "!"},
        {numeric(0, 0xD000, 0, {}), "Infinity", "!"},
        {numeric(0, 0xF000, 0, {}), "-Infinity", "!"},
    };
    const auto decode = [](const DataType& type, const std::string& bytes) -> std::string {
        CopyDecoder decoder(std::make_shared<const Schema>(std::vector<Field>{{"n", type}}), {{WireType::numeric}});
        EXPECT_TRUE(decoder.decode(copy_of({bytes})).ok());
        if (!decoder.take_rejected().empty()) return "!";
        return format_value(decoder.finish().column(0), 0);
    };
    for (const auto& [bytes, text, decimal] : kCases) {
        SCOPED_TRACE(text);
        EXPECT_EQ(decode(TypeKind::string, bytes), text);
        EXPECT_EQ(decode(DataType::decimal(2), bytes), decimal);
    }
    EXPECT_EQ(decode(DataType::decimal(5, 2), numeric(0, 0x4000, 2, {999, 9900})), "-999.99");
    EXPECT_EQ(decode(DataType::decimal(5, 2), numeric(0, 0, 0, {1000})), "!");
    EXPECT_EQ(decode(DataType::decimal(16, 0), numeric(3, 0, 0, {9999, 9999, 9999, 9999})), "9999999999999999");
    EXPECT_EQ(decode(DataType::decimal(18, 2), numeric(3, 0, 0, {9999, 9999, 9999, 9999})), "9999999999999999.00");
    EXPECT_EQ(decode(DataType::decimal(17, 2), numeric(3, 0, 0, {9999, 9999, 9999, 9999})), "!");
    EXPECT_EQ(decode(DataType::decimal(16, 16), numeric(-1, 0, 16, {1, 2, 3, 4})), "0.0001000200030004");
    EXPECT_EQ(decode(DataType::decimal(18, 17), numeric(-1, 0, 16, {1, 2, 3, 4})), "0.00010002000300040");
    EXPECT_EQ(decode(DataType::decimal(16, 13), numeric(-1, 0, 16, {1, 2, 3, 4000})), "0.0001000200034");
    EXPECT_EQ(decode(DataType::decimal(16, 13), numeric(-1, 0, 16, {1, 2, 3, 4})), "!");
    EXPECT_EQ(decode(DataType::decimal(20, 18), numeric(0, 0, 0, {7})), "7.000000000000000000");
}

TEST(PostgresCopy, TurnsAwayWhatHasNoPlaceAndKeepsTheRest) {
    CopyDecoder decoder(std::make_shared<const Schema>(std::vector<Field>{{"t", TypeKind::timestamp}}),
                        {{WireType::timestamp}});
    const std::string y2000 = big_endian(0, 8);
    const std::string infinity = big_endian(INT64_MAX, 8);
    ASSERT_TRUE(decoder.decode(copy_of({y2000, infinity, std::nullopt, y2000})).ok());
    EXPECT_TRUE(decoder.has_ended());
    const auto rejected = decoder.take_rejected();
    ASSERT_EQ(rejected.size(), 1U);
    EXPECT_EQ(rejected[0].row, 1U);
    EXPECT_EQ(rejected[0].why.message(), "value does not fit its column: t is timestamp, the value is infinity");
    const RecordBatch rows = decoder.finish();
    ASSERT_EQ(rows.rows(), 4U);
    EXPECT_EQ(format_value(rows.column(0), 3), "2000-01-01T00:00:00");
    EXPECT_TRUE(rows.column(0).is_null(1) && rows.column(0).is_null(2));
}

TEST(PostgresCopy, RefusesBytesThatAreNoRows) {
    const std::string whole = copy_of({big_endian(7, 8)});
    for (size_t size = 1; size + 2 < whole.size(); ++size) {
        if (size == 19) continue;  // the header alone
        CopyDecoder decoder(std::make_shared<const Schema>(std::vector<Field>{{"n", TypeKind::int64}}),
                            {{WireType::int64}});
        EXPECT_FALSE(decoder.decode(whole.substr(0, size)).ok()) << size;
    }
}

}  // namespace
}  // namespace shaduf
