#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "connectors/postgres/copy_decoder.h"
#include "connectors/postgres/copy_encoder.h"
#include "connectors/postgres/json_check.h"

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

CopyTarget target(WireType type, int dimensions = 0, int32_t modifier = -1) {
    CopyTarget to;
    to.name = "c";
    to.sql_type = "its type";
    to.wire = {type, dimensions};
    to.modifier = modifier;
    return to;
}

int32_t numeric_modifier(int precision, int scale) { return ((precision << 16) | (scale & 0x7FF)) + 4; }

SchemaPtr schema_of(const DataType& type) { return std::make_shared<const Schema>(std::vector<Field>{{"c", type}}); }

struct Encoded {
    std::string bytes;
    std::vector<RejectedRow> rejected;
    size_t rows = 0;
};

Encoded encode(const RecordBatch& rows, const CopyTarget& to) {
    Encoded encoded;
    CopyEncoder encoder(rows.schema(), {to}, false);
    encoded.bytes = CopyEncoder::header();
    const auto put = [&](std::string_view part) -> Result<void> {
        encoded.bytes += part;
        return {};
    };
    encoded.rows = encoder.encode(rows, put, encoded.rejected).release_value();
    encoded.bytes += CopyEncoder::trailer();
    return encoded;
}

RecordBatch decode(const std::string& bytes, const DataType& type, const CopyColumn& wire) {
    CopyDecoder decoder(schema_of(type), {wire});
    const auto decoded = decoder.decode(bytes);
    EXPECT_TRUE(decoded.ok()) << decoded.error().to_string();
    EXPECT_TRUE(decoder.has_ended());
    EXPECT_THAT(decoder.take_rejected(), IsEmpty());
    return decoder.finish();
}

// A batch of one column, a null after each value.
RecordBatch batch_of(const DataType& type, size_t values, const std::function<void(ColumnBuilder&, size_t)>& append) {
    RecordBatchBuilder builder(schema_of(type));
    for (size_t i = 0; i < values; ++i) {
        append(builder.column(0), i);
        builder.end_row();
        builder.column(0).append_null();
        builder.end_row();
    }
    return builder.finish();
}

std::vector<std::string> texts_of(const RecordBatch& rows) {
    std::vector<std::string> texts;
    for (size_t row = 0; row < rows.rows(); ++row) {
        texts.push_back(rows.column(0).is_null(row) ? "NULL" : format_value(rows.column(0), row));
    }
    return texts;
}

void expect_same(const RecordBatch& rows, const CopyTarget& to) {
    const Encoded encoded = encode(rows, to);
    EXPECT_THAT(encoded.rejected, IsEmpty());
    EXPECT_EQ(encoded.rows, rows.rows());
    const RecordBatch back = decode(encoded.bytes, (*rows.schema())[0].type, to.wire);
    EXPECT_EQ(texts_of(back), texts_of(rows));
}

std::vector<std::string> reasons(const RecordBatch& rows, const CopyTarget& to) {
    std::vector<std::string> found;
    for (const auto& row : encode(rows, to).rejected) {
        constexpr std::string_view kBefore = "value does not fit its column: c is its type, ";
        EXPECT_THAT(row.why.message(), testing::StartsWith(std::string(kBefore)));
        found.push_back(std::to_string(row.row) + " " + row.why.message().substr(kBefore.size()));
    }
    return found;
}

TEST(PostgresEncode, GivesWhatTheDecoderReads) {
    const int64_t integers[] = {0, 1, -1, INT16_MIN, INT16_MAX, INT32_MIN, INT32_MAX, INT64_MIN, INT64_MAX, 4294967295};
    const auto some = [&](std::vector<size_t> picked) {
        return batch_of(TypeKind::int64, picked.size(),
                        [&](ColumnBuilder& to, size_t i) { to.append_int64(integers[picked[i]]); });
    };
    expect_same(some({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}), target(WireType::int64));
    expect_same(some({0, 1, 2, 3, 4, 5, 6}), target(WireType::int32));
    expect_same(some({0, 1, 2, 3, 4}), target(WireType::int16));
    expect_same(some({0, 1, 4, 6, 9}), target(WireType::oid));
    const double floats[] = {0.0,
                             -0.0,
                             1.5,
                             std::numeric_limits<double>::max(),
                             std::numeric_limits<double>::denorm_min(),
                             std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::quiet_NaN()};
    expect_same(batch_of(TypeKind::float64, std::size(floats),
                         [&](ColumnBuilder& to, size_t i) { to.append_float64(floats[i]); }),
                target(WireType::float64));
    expect_same(batch_of(TypeKind::boolean, 2, [](ColumnBuilder& to, size_t i) { to.append_boolean(i == 1); }),
                target(WireType::boolean));
    const std::string_view texts[] = {"", "a", "tab\t\"quote\" \\ line\n", "\xF0\x9F\x98\x80"};
    for (const TypeKind kind : {TypeKind::string, TypeKind::bytes}) {
        expect_same(batch_of(kind, std::size(texts), [&](ColumnBuilder& to, size_t i) { to.append_text(texts[i]); }),
                    target(kind == TypeKind::bytes ? WireType::bytes : WireType::text));
    }
    const int32_t days[] = {0, -1, -2'440'588, 2'145'042'905};
    expect_same(
        batch_of(TypeKind::date, std::size(days), [&](ColumnBuilder& to, size_t i) { to.append_date(days[i]); }),
        target(WireType::date));
    const int64_t micros[] = {0, -1, -210'866'803'200'000'000, 9'223'371'331'199'999'999 - 946'684'800'000'000};
    expect_same(batch_of(TypeKind::timestamp, std::size(micros),
                         [&](ColumnBuilder& to, size_t i) { to.append_int64(micros[i]); }),
                target(WireType::timestamp));
    const int64_t times[] = {0, 86'399'999'999, 86'400'000'000};
    expect_same(
        batch_of(TypeKind::time, std::size(times), [&](ColumnBuilder& to, size_t i) { to.append_int64(times[i]); }),
        target(WireType::time));
    const std::string_view uuids[] = {"00000000-0000-0000-0000-000000000000", "01234567-89ab-cdef-0123-456789abcdef"};
    expect_same(batch_of(TypeKind::uuid, std::size(uuids),
                         [&](ColumnBuilder& to, size_t i) {
                             std::array<uint8_t, kUuidBytes> bytes{};
                             ASSERT_TRUE(parse_uuid(uuids[i], bytes.data()));
                             to.append_uuid({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
                         }),
                target(WireType::uuid));
    const std::string_view json[] = {"null", "{\"a\": [1, \"\\u00fc\\ud83d\\ude00\"]}", "1e300", "\"\""};
    expect_same(
        batch_of(TypeKind::json, std::size(json), [&](ColumnBuilder& to, size_t i) { to.append_text(json[i]); }),
        target(WireType::jsonb));
}

TEST(PostgresEncode, KeepsEveryDigitOfANumeric) {
    int128 greatest = 1;
    for (int i = 0; i < 38; ++i) greatest *= 10;
    greatest -= 1;
    for (int scale = 0; scale <= 38; ++scale) {
        SCOPED_TRACE(scale);
        std::vector<int128> numbers{0,       1,           -1,       10,        9999,        10'000,
                                    -10'001, 123'456'789, greatest, -greatest, greatest / 3};
        for (int128 power = 1; power < greatest / 10; power *= 10) numbers.push_back(power);
        expect_same(batch_of(DataType::decimal(scale), numbers.size(),
                             [&](ColumnBuilder& to, size_t i) { to.append_decimal(numbers[i]); }),
                    target(WireType::numeric, 0, numeric_modifier(38, scale)));
    }
}

TEST(PostgresEncode, ReadsNumbersFromTextWithEveryDigit) {
    struct Case {
        std::string text;
        std::string read;
    };
    const Case cases[] = {{"0", "0"},
                          {"-0", "0"},
                          {"1.50", "1.50"},
                          {"-12345.678", "-12345.678"},
                          {"1e3", "1000"},
                          {" 7 ", "7"},
                          {"1.5e-7", "0.00000015"},
                          {"1e20", "1" + std::string(20, '0')},
                          {".5", "0.5"},
                          {"00012", "12"},
                          {"5.", "5"},
                          {"0.0001", "0.0001"},
                          {"12345678901234567890.123456789", "12345678901234567890.123456789"},
                          {std::string(200, '9') + ".25", std::string(200, '9') + ".25"},
                          {"nan", "NaN"},
                          {"-Infinity", "-Infinity"}};
    for (const Case& number : cases) {
        const std::string& text = number.text;
        SCOPED_TRACE(text);
        const auto rows = batch_of(TypeKind::string, 1, [&](ColumnBuilder& to, size_t) { to.append_text(text); });
        const Encoded encoded = encode(rows, target(WireType::numeric));
        EXPECT_THAT(encoded.rejected, IsEmpty());
        EXPECT_THAT(texts_of(decode(encoded.bytes, TypeKind::string, {WireType::numeric})),
                    ElementsAre(number.read, "NULL"));
    }
    for (const std::string text : {"", "x", "1.2.3", "--1", "1e", "0x10", "1_0"}) {
        SCOPED_TRACE(text);
        const auto rows = batch_of(TypeKind::string, 1, [&](ColumnBuilder& to, size_t) { to.append_text(text); });
        EXPECT_THAT(reasons(rows, target(WireType::numeric)), ElementsAre("0 the value is no number: " + text));
    }
}

TEST(PostgresEncode, WritesArrays) {
    const DataType list = DataType::list(TypeKind::int64);
    const auto append = [](ColumnBuilder& to, const std::vector<int64_t>& items) {
        for (const int64_t item : items) {
            if (item == 0) {
                to.child(0).append_null();
            } else {
                to.child(0).append_int64(item);
            }
        }
        to.append_list();
    };
    const std::vector<int64_t> lists[] = {{}, {1}, {1, 0, 3}};
    expect_same(batch_of(list, std::size(lists), [&](ColumnBuilder& to, size_t i) { append(to, lists[i]); }),
                target(WireType::int32, 1));
    const DataType grid = DataType::list(list);
    const std::vector<std::vector<int64_t>> grids[] = {{}, {{1}}, {{1, 2, 0}, {4, 5, 6}}};
    const auto grids_of = [&](const std::vector<std::vector<std::vector<int64_t>>>& values) {
        return batch_of(grid, values.size(), [&](ColumnBuilder& to, size_t i) {
            for (const auto& row : values[i]) append(to.child(0), row);
            to.append_list();
        });
    };
    expect_same(grids_of({std::begin(grids), std::end(grids)}), target(WireType::int64, 2));
    EXPECT_THAT(
        reasons(grids_of({{{1}, {2, 3}}, {{}}, {{1}, {}}}), target(WireType::int64, 2)),
        ElementsAre("0 the value is no array: lists inside are of several lengths; declare the column as json",
                    "2 the value is no array: a list inside is empty; declare the column as json",
                    "4 the value is no array: lists inside are of several lengths; declare the column as json"));
    EXPECT_THAT(reasons(batch_of(list, 1,
                                 [&](ColumnBuilder& to, size_t) {
                                     append(to, {1, 40'000});
                                 }),
                        target(WireType::int16, 1)),
                ElementsAre("0 the value is 40000"));
    EXPECT_FALSE(CopyEncoder::can_encode(grid, target(WireType::int64, 1)));
    EXPECT_TRUE(CopyEncoder::can_encode(grid, target(WireType::jsonb)));
}

TEST(PostgresEncode, TurnsAwayWhatTheColumnCannotHold) {
    const auto integers = [](std::vector<int64_t> values, const DataType& type = TypeKind::int64) {
        return batch_of(type, values.size(), [&](ColumnBuilder& to, size_t i) { to.append_int64(values[i]); });
    };
    const auto texts = [](std::vector<std::string> values, const DataType& type = TypeKind::string) {
        return batch_of(type, values.size(), [&](ColumnBuilder& to, size_t i) { to.append_text(values[i]); });
    };
    EXPECT_THAT(reasons(integers({32'768, 5, -32'769}), target(WireType::int16)),
                ElementsAre("0 the value is 32768", "4 the value is -32769"));
    EXPECT_THAT(reasons(integers({int64_t{INT32_MAX} + 1}), target(WireType::int32)),
                ElementsAre("0 the value is 2147483648"));
    EXPECT_THAT(reasons(integers({-1, int64_t{UINT32_MAX} + 1}), target(WireType::oid)),
                ElementsAre("0 the value is -1", "2 the value is 4294967296"));
    EXPECT_THAT(reasons(integers({100, 99}), target(WireType::numeric, 0, numeric_modifier(4, 2))),
                ElementsAre("0 the value is 100"));
    EXPECT_THAT(reasons(integers({86'400'000'001, -1}, TypeKind::time), target(WireType::time)),
                ElementsAre("0 the value is microsecond 86400000001", "2 the value is microsecond -1"));
    EXPECT_THAT(reasons(integers({INT64_MAX, INT64_MIN, 0}, TypeKind::timestamp), target(WireType::timestamp)),
                ElementsAre("2 the value is microsecond -9223372036854775808 from 1970-01-01"));
    CopyTarget varchar = target(WireType::text);
    varchar.characters_max = 3;
    EXPECT_THAT(reasons(texts({"\u00fc\u00fc\u00fc", "abc  ", "abcd", "     "}), varchar),
                ElementsAre("4 the value is of 4 characters: abcd"));
    EXPECT_THAT(reasons(texts({std::string("a\0b", 3), "ab"}), target(WireType::text)),
                ElementsAre("0 the value is no text of PostgreSQL: it has a zero byte"));
    CopyTarget mood = target(WireType::text);
    mood.labels = std::make_shared<std::set<std::string, std::less<>>>(std::set<std::string, std::less<>>{"sad", "ok"});
    EXPECT_THAT(reasons(texts({"ok", "glad"}), mood), ElementsAre("2 the value is none of its labels: glad"));
    EXPECT_THAT(
        reasons(texts({"0123", "{01234567-89ab-cdef-0123-456789ABCDEF}", "zz234567-89ab-cdef-0123-456789abcdef"}),
                target(WireType::uuid)),
        ElementsAre("0 the value is no UUID: 0123", "4 the value is no UUID: zz234567-89ab-cdef-0123-456789abcdef"));
    EXPECT_THAT(reasons(texts({"9.995", "9.99", "10", "1e9999999", "Infinity"}),
                        target(WireType::numeric, 0, numeric_modifier(3, 2))),
                ElementsAre("0 the value is 9.995", "4 the value is 10", "6 the value is 1e9999999",
                            "8 the value is Infinity"));
    EXPECT_THAT(
        reasons(texts({"\"\\u0000\"", "1e131073", "\"\\ud800\"", "[1]"}, TypeKind::json), target(WireType::jsonb)),
        ElementsAre("0 the value is no jsonb: it has \\u0000, which no text of PostgreSQL can hold",
                    "2 the value is no jsonb: it has a number of too many digits",
                    "4 the value is no jsonb: it has one half of a surrogate pair"));
    EXPECT_THAT(reasons(batch_of(TypeKind::float64, 2,
                                 [](ColumnBuilder& to, size_t i) { to.append_float64(i == 0 ? 1e39 : 1e38); }),
                        target(WireType::float32)),
                testing::SizeIs(1));
    EXPECT_THAT(reasons(batch_of(TypeKind::date, 1, [](ColumnBuilder& to, size_t) { to.append_date(INT32_MAX); }),
                        target(WireType::date)),
                ElementsAre("0 the value is day 2147483647 from 1970-01-01"));
}

TEST(PostgresEncode, LeavesRejectedRowsOutAndNumbersTheOthers) {
    RecordBatchBuilder builder(schema_of(TypeKind::int64));
    for (const int64_t value : {1, 70'000, 3}) {
        builder.column(0).append_int64(value);
        builder.end_row();
    }
    const RecordBatch rows = builder.finish();
    CopyEncoder encoder(rows.schema(), {target(WireType::int16)}, true);
    std::string bytes(CopyEncoder::header());
    std::vector<RejectedRow> rejected;
    const auto written = encoder.encode(
        rows,
        [&](std::string_view part) -> Result<void> {
            bytes += part;
            return {};
        },
        rejected);
    bytes += CopyEncoder::trailer();
    EXPECT_EQ(written.value(), 2U);
    EXPECT_EQ(encoder.rows_numbered(), 2);
    ASSERT_THAT(rejected, testing::SizeIs(1));
    EXPECT_EQ(rejected[0].row, 1U);
    CopyDecoder decoder(
        std::make_shared<const Schema>(std::vector<Field>{{"n", TypeKind::int64}, {"c", TypeKind::int64}}),
        {{WireType::int64}, {WireType::int16}});
    ASSERT_TRUE(decoder.decode(bytes).ok());
    const RecordBatch back = decoder.finish();
    EXPECT_EQ(back.row_as_json(0), "{\"n\":1,\"c\":1}");
    EXPECT_EQ(back.row_as_json(1), "{\"n\":2,\"c\":3}");
}

TEST(PostgresEncode, KnowsWhatJsonbHolds) {
    for (const std::string_view held : {"{}", "\"\\\\u0000\"", "\"\\ud83d\\ude00\"", "1e131071", "-0.5E-3",
                                        "\"1e999999\"", "[1, {\"a\\\"1e999999\": -2}]", "0.000001e16"}) {
        EXPECT_EQ(find_jsonb_problem(held), "") << held;
    }
    for (const std::string_view refused : {"{\"a\\u0000\": 1}", "[\"\\udc00\"]", "\"\\ud800\\u0041\"", "[1e131073]",
                                           "1e-16384", "1e99999999999999999999"}) {
        EXPECT_NE(find_jsonb_problem(refused), "") << refused;
    }
}

}  // namespace
}  // namespace shaduf
