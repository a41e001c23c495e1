#include <gtest/gtest.h>

#include "tests/data/decode_case.h"

namespace shaduf {
namespace {

using testing::describe;
using testing::raw_rows;
using testing::shape_of;

std::string decode(const Shape& shape, const std::vector<std::string>& rows) {
    return describe(RowDecoder::create(RawFormat::json, shape)->decode(raw_rows(rows)));
}

TEST(JsonDecoder, ReadsEventsAlongPaths) {
    Shape shape = shape_of(
        "timestamp: timestamp!, event_name: string!, user_identifiers.id: string!, user_identifiers.platform: string!, "
        "product_information.name: string!");
    shape.columns.push_back({"event_date", TypeKind::date, {"timestamp"}, true});
    EXPECT_EQ(
        decode(shape,
               {R"({"timestamp":"2023-10-23T12:34:56Z","event_name":"view","user_identifiers":{"platform":"web",)"
                R"("id":"user_12345"},"product_information":{"name":"Wireless Mouse","SKU":"SKU-1001"}})",
                R"({ "event_name" : "buy" , "timestamp" : "2023-10-24T01:00:00.5+02:00" } )"}),
        R"({"timestamp":"2023-10-23T12:34:56","event_name":"view","user_identifiers__id":"user_12345",)"
        R"("user_identifiers__platform":"web","product_information__name":"Wireless Mouse","event_date":"2023-10-23"})"
        "\n"
        R"({"timestamp":"2023-10-23T23:00:00.500000","event_name":"buy","user_identifiers__id":null,)"
        R"("user_identifiers__platform":null,"product_information__name":null,"event_date":"2023-10-23"})"
        "\ndrift product_information.SKU: +string\n");
}

struct ValueCase {
    const char* type;
    const char* value;
    const char* result;  // the column as JSON; "": the row is rejected; "> T": null, and drift to T
};

std::string outcome(const Decoded& decoded) {
    if (!decoded.rejected.empty()) return "";
    if (!decoded.drift.empty()) return "> " + decoded.drift[0].type.to_string();
    std::string text;
    append_json(decoded.rows.column(0), 0, text);
    return text;
}

TEST(JsonDecoder, ConvertsToDeclaredTypes) {
    const ValueCase cases[] = {
        {"bool!", "true", "true"},
        {"bool!", "0", "false"},
        {"bool!", R"("Yes")", "true"},
        {"bool!", "2", ""},
        {"bool!", R"("maybe")", ""},
        {"int64!", "-9223372036854775808", "-9223372036854775808"},
        {"int64!", "9223372036854775807", "9223372036854775807"},
        {"int64!", "9223372036854775808", ""},
        {"int64!", "-9223372036854775809", ""},
        {"int64!", "123456789012345678901234567890", ""},
        {"int64!", "1.0", "1"},
        {"int64!", "12e2", "1200"},
        {"int64!", "1.5", ""},
        {"int64!", R"(" 17 ")", "17"},
        {"int64!", R"("17x")", ""},
        {"int64!", R"("")", ""},
        {"int64!", "true", "1"},
        {"int64!", "[]", ""},
        {"int64!", "{}", ""},
        {"float64!", "3", "3"},
        {"float64!", R"("3.50")", "3.5"},
        {"float64!", "1e400", ""},
        {"float64!", "1e-400", "0"},
        {"float64!", R"("inf")", R"("inf")"},
        {"decimal(38,2)!", "0.10", "0.10"},
        {"decimal(38,2)!", "-12.5e1", "-125.00"},
        {"decimal(38,2)!", R"("99999999999999999999.99")", "99999999999999999999.99"},
        {"decimal(38,2)!", "0.1000000000000000000000000000000000000000000000", "0.10"},
        {"decimal(38,2)!", "0.123", ""},
        {"decimal(5,2)!", "999.99", "999.99"},
        {"decimal(5,2)!", "-999.990", "-999.99"},
        {"decimal(5,2)!", "1000", ""},
        {"decimal(5,2)!", R"("1000.00")", ""},
        {"decimal(5,2)!", "0.0000000000000000000000000000000000000000001e43", "1.00"},
        {"decimal(2,2)!", "1", ""},
        {"decimal(2,2)!", "-0.99", "-0.99"},
        {"list<decimal(3,1)>!", "[99.9, 100]", ""},
        {"decimal(38,2)!", "1e36", ""},
        {"decimal(38,2)!", "1e99999999999999999999", ""},
        {"decimal(38,2)!", "0e99999999999999999999", "0.00"},
        {"string!", "1.50", R"("1.50")"},
        {"string!", "false", R"("false")"},
        {"string!", R"({"a": [1]})", R"("{\"a\": [1]}")"},
        {"string!", R"("\u00e9\ud83d\ude00\n\"")", "\"\u00e9\U0001F600\\n\\\"\""},
        {"bytes!", R"("\\x00ff")", R"("\\x00ff")"},
        {"bytes!", R"("ab")", R"("\\x6162")"},
        {"date!", R"("2024-02-29")", R"("2024-02-29")"},
        {"date!", R"("1969-12-31T23:59:59Z")", R"("1969-12-31")"},
        {"date!", R"("2023-02-29")", ""},
        {"time!", R"("23:59:59.5")", R"("23:59:59.500000")"},
        {"time!", R"("24:00:00")", ""},
        {"timestamp!", R"("2023-10-31T12:00:00Z")", R"("2023-10-31T12:00:00")"},
        {"timestamp!", R"("2023-10-28 12:00")", R"("2023-10-28T12:00:00")"},
        {"timestamp_tz!", R"("2023-10-28T12:00:61Z")", ""},
        {"timestamp_tz!", R"("2023-1x-28T12:00:01Z")", ""},
        {"timestamp_tz!", "1698062096", R"("2023-10-23T11:54:56Z")"},
        {"timestamp_tz!", "1698062096123", R"("2023-10-23T11:54:56.123000Z")"},
        {"timestamp_tz!", R"("1698062096")", R"("2023-10-23T11:54:56Z")"},
        {"timestamp_tz!", "1.5", ""},
        {"json!", R"({ "a" : [1, "x"] })", R"({ "a" : [1, "x"] })"},
        {"json!", R"("a\n")", R"("a\n")"},
        {"json!", "12.0", "12.0"},
        {"list<int64>!", R"([1, "2", null])", "[1,2,null]"},
        {"list<int64>!", "[1, 2.5]", ""},
        {"list<int64>!", "1", ""},
        {"list<string>!", R"(["a", {"b": 1}])", R"(["a","{\"b\": 1}"])"},
        {"struct<a: int64, b: list<date>>!", R"({"b": ["2023-01-02"], "c": 1})", R"({"a":null,"b":["2023-01-02"]})"},
        {"struct<a: int64, b: string>!", R"({"a": 1, "b": "x", "a": 2})", R"({"a":2,"b":"x"})"},
        {"struct<a: int64>!", R"("text")", ""},
        {"string!", "null", "null"},
        {"list<int64>!", "null", "null"},
    };
    for (const auto& [type, value, result] : cases) {
        SCOPED_TRACE(std::string(type) + " from " + value);
        const auto decoder = RowDecoder::create(RawFormat::json, shape_of(std::string("v: ") + type));
        EXPECT_EQ(outcome(decoder->decode(raw_rows({std::string(R"({"v":)") + value + "}"}))), result);
    }
}

TEST(JsonDecoder, ReportsWhatDoesNotFitAnInferredColumn) {
    const ValueCase cases[] = {
        {"int64", "5", "5"},
        {"int64", "1.0", "> float64"},
        {"int64", "9223372036854775808", "> decimal(38,0)"},
        {"int64", "1234567890123456789012345678901234567890", "> string"},
        {"int64", R"("5")", "> string"},
        {"int64", "true", "> string"},
        {"int64", "[1]", "> json"},
        {"float64", "7", "7"},
        {"float64", "1e999", "> string"},
        {"decimal(38,2)", "1.25", "1.25"},
        {"decimal(38,2)", "1.255", "> float64"},
        {"decimal(5,2)", "1.255", "> float64"},
        {"decimal(5,2)", "1000.5", "> decimal(38,2)"},
        {"decimal(5,2)", "1000", "> decimal(21,2)"},
        {"decimal(5,2)", "9223372036854775808", "> decimal(38,2)"},
        {"decimal(5,2)", R"("1000.5")", "> string"},
        {"bool", "1", "> string"},
        {"string", "1.50", R"("1.50")"},
        {"string", "true", R"("true")"},
        {"string", "[1]", "> json"},
        {"date", R"("2023-01-02")", R"("2023-01-02")"},
        {"date", R"("2023-01-02T00:00:00")", "> timestamp"},
        {"date", R"("soon")", "> string"},
        {"timestamp", R"("2023-01-02")", R"("2023-01-02T00:00:00")"},
        {"timestamp", R"("2023-01-02T03:04:05Z")", "> timestamp_tz"},
        {"timestamp_tz", R"("2023-01-02T03:04:05Z")", R"("2023-01-02T03:04:05Z")"},
        {"timestamp_tz", R"("later")", "> string"},
        {"timestamp_tz", "1698062096", "> string"},
        {"json", R"({"a":1})", R"({"a":1})"},
        {"list<int64>", "[1,2]", "[1,2]"},
        {"list<int64>", R"([1,"x"])", "> list<string>"},
        {"list<int64>", "[]", "[]"},
        {"list<int64>", "3", "> json"},
        {"struct<a: int64>", R"({"a":1.5,"b":[true]})", "> struct<a: float64, b: list<bool>>"},
        {"struct<a: int64>", R"({"b":null})", R"({"a":null})"},
    };
    for (const auto& [type, value, result] : cases) {
        SCOPED_TRACE(std::string(type) + " from " + value);
        Shape shape = shape_of(std::string("v: ") + type);
        shape.nesting = Nesting::structure;
        const auto raw = raw_rows({std::string(R"({"v":)") + value + "}"});
        const auto decoded = RowDecoder::create(RawFormat::json, shape)->decode(raw);
        EXPECT_EQ(outcome(decoded), result);
        if (decoded.drift.empty()) continue;
        // The widened shape holds the value.
        apply_drift(decoded.drift, shape);
        const auto again = RowDecoder::create(RawFormat::json, shape)->decode(raw);
        EXPECT_TRUE(again.drift.empty());
        EXPECT_FALSE(again.rows.column(0).is_null(0));
    }
}

TEST(JsonDecoder, RejectsWhatIsNotOneValidObject) {
    const std::pair<std::string, const char*> cases[] = {
        {"", "row is empty"},
        {"   ", "row is empty"},
        {"[1]", "row is not a JSON object: [1]"},
        {"12", "row is not a JSON object: 12"},
        {R"({"a":1)", "invalid JSON: it ends early, at byte offset 6"},
        {R"({"a":"x)", "invalid JSON: it ends early, at byte offset 7"},
        {R"({"a")", "invalid JSON: it ends early, at byte offset 4"},
        {R"({"a":)", "invalid JSON: it ends early, at byte offset 5"},
        {R"({"a":tr)", "invalid JSON: expected a value at byte offset 5"},
        {R"({"a":1}})", "invalid JSON: more text behind the value, at byte offset 7"},
        {R"({"a":1,})", "invalid JSON: expected a key at byte offset 7"},
        {R"({"a" 1})", "invalid JSON: expected a colon at byte offset 5"},
        {R"({"a":1 "b":2})", "invalid JSON: expected a comma or } at byte offset 7"},
        {R"({"x":[1 2]})", "invalid JSON: expected a comma or ] at byte offset 8"},
        {R"({"a":01})", "invalid JSON: number with a leading zero at byte offset 6"},
        {R"({"a":-})", "invalid JSON: expected a digit at byte offset 6"},
        {R"({"a":1.})", "invalid JSON: expected a digit at byte offset 7"},
        {R"({"a":+1})", "invalid JSON: expected a value at byte offset 5"},
        {R"({"a":nul})", "invalid JSON: expected a value at byte offset 5"},
        {R"({"a":NaN})", "invalid JSON: expected a value at byte offset 5"},
        {"{\"a\":\"x\ty\"}", "invalid JSON: control character in a string at byte offset 7"},
        {R"({"a":"\q"})", "invalid JSON: unknown escape in a string at byte offset 6"},
        {R"({"a":"\u12g4"})", "invalid JSON: \\u without four hexadecimal digits at byte offset 6"},
        {R"({"a":"x\ud800"})", "invalid JSON: half of a surrogate pair at byte offset 7"},
        {R"({"unknown":"\udc00\ud800"})", "invalid JSON: half of a surrogate pair at byte offset 12"},
        {"{\"a\":\"ok\xC3\xA9\xFFz\"}", "invalid JSON: invalid UTF-8 at byte offset 10"},
        {"{\"\xC3\":1}", "invalid JSON: invalid UTF-8 at byte offset 2"},
        {"{\"a\":\xC3\xA9}", "invalid JSON: expected a value at byte offset 5"},
    };
    for (const auto& [row, why] : cases) {
        SCOPED_TRACE(row);
        const auto shape = shape_of("a: string, b: int64");
        EXPECT_EQ(decode(shape, {R"({"a":"before","b":1})", row, R"({"a":"after"})"}), R"({"a":"before","b":1})"
                                                                                       "\n"
                                                                                       R"({"a":"after","b":null})"
                                                                                       "\nrow 1: " +
                                                                                           std::string(why) + "\n");
    }
}

TEST(JsonDecoder, RefusesDeepNesting) {
    const auto nested = [](size_t depth) {
        return R"({"a":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
    };
    const auto decoder = RowDecoder::create(RawFormat::json, shape_of("a: json"));
    EXPECT_TRUE(decoder->decode(raw_rows({nested(255)})).rejected.empty());
    EXPECT_EQ(decoder->decode(raw_rows({nested(256)})).rejected.size(), 1U);
    EXPECT_EQ(decoder->decode(raw_rows({nested(1'000'000)})).rejected.size(), 1U);
}

TEST(JsonDecoder, LeavesNoTraceOfARejectedRow) {
    const auto shape = shape_of(
        "a: int64, s: string, l: list<struct<x: int64, y: list<string>>>!, t: struct<x: list<int64>, y: int64>!, n: "
        "bool!");
    const std::string good = R"({"a":1,"s":"x","l":[{"x":1,"y":["p"]}],"t":{"x":[1,2],"y":3},"n":true})";
    const std::vector<std::string> bad{R"({"a":1,"s":"x","l":[{"x":1,"y":["p","q)",
                                       R"({"a":1,"l":[{"x":1,"y":["p"]},{"x":1)",
                                       R"({"t":{"x":[1,2],"y")",
                                       R"({"t":{"x":[1,2)",
                                       R"({"a":1,"s":"x","l":[{"x":1}],"t":{},"n":"?"})",
                                       R"({"a":1,"s":"x","l":[{"x":"?"}],"t":{},"n":true})"};
    std::vector<std::string> rows;
    for (const auto& row : bad) {
        rows.push_back(good);
        rows.push_back(row);
    }
    const auto decoded = RowDecoder::create(RawFormat::json, shape)->decode(raw_rows(rows));
    ASSERT_EQ(decoded.rows.rows(), bad.size());
    ASSERT_EQ(decoded.rejected.size(), bad.size());
    for (size_t i = 0; i < bad.size(); ++i) {
        EXPECT_EQ(decoded.rows.row_as_json(i), good);
        EXPECT_EQ(decoded.row_numbers[i], 2 * i);
        EXPECT_EQ(decoded.rejected[i].row, 2 * i + 1);
    }
    EXPECT_EQ(decoded.rows.column(2).children[0].length, bad.size());
}

TEST(JsonDecoder, TheLastOfEqualKeysCounts) {
    const auto shape = shape_of("a: int64, o.x: string, o.y: string");
    EXPECT_EQ(decode(shape, {R"({"a":1,"o":{"x":"1"},"a":2,"o":{"y":"2","y":"3"}})", R"({"a":1,"a":null,"\u0061":7})",
                             R"({"a":1,"a":null})"}),
              R"({"a":2,"o__x":null,"o__y":"3"})"
              "\n"
              R"({"a":7,"o__x":null,"o__y":null})"
              "\n"
              R"({"a":null,"o__x":null,"o__y":null})"
              "\n");
}

TEST(JsonDecoder, TreatsUnknownFieldsByPolicy) {
    const std::vector<std::string> rows{R"({"a":1,"b":{"c":[1],"d":{"e":"2023-01-01"},"n":null},"z":null})",
                                        R"({"a":"x","b":{"d":{"e":"2023-01-01T01:01:01Z"}}})"};
    const std::string first = R"({"a":1})"
                              "\n";
    const std::string both = first + R"({"a":null})"
                                     "\n";
    Shape shape = shape_of("a: int64");
    EXPECT_EQ(decode(shape, rows), both + "drift b.c: +json\ndrift b.d.e: +timestamp_tz\ndrift a: string\n");
    shape.nesting = Nesting::json;
    EXPECT_EQ(decode(shape, rows), both + "drift b: +json\ndrift a: string\n");
    shape.nesting = Nesting::structure;
    EXPECT_EQ(decode(shape, rows),
              both + "drift b: +struct<c: list<int64>, d: struct<e: timestamp_tz>>\ndrift a: string\n");
    shape.on_drift = OnDrift::ignore;
    EXPECT_EQ(decode(shape, rows), both + "ignored 3\n");
    shape.on_drift = OnDrift::reject_row;
    EXPECT_EQ(decode(shape, rows),
              "row 0: field has no column: b\n"
              "row 1: value does not fit its column: a is int64, the value is \"x\"\n");
    shape.ignore_unlisted = true;
    EXPECT_EQ(decode(shape, rows), first + "row 1: value does not fit its column: a is int64, the value is \"x\"\n");
}

TEST(JsonDecoder, FlattensTheSameWhateverComesFirst) {
    const std::string plain = R"({"a":1})";
    const std::string object = R"({"a":{"b":2}})";
    for (const auto& rows : {std::vector{plain, object}, std::vector{object, plain}}) {
        Shape shape;
        const auto raw = raw_rows(rows);
        infer_shape(raw, 1, shape);
        apply_drift(RowDecoder::create(RawFormat::json, shape)->decode(raw).drift, shape);
        const auto decoded = RowDecoder::create(RawFormat::json, shape)->decode(raw);
        EXPECT_TRUE(decoded.drift.empty());
        EXPECT_EQ(shape.columns.size(), 2U);
        EXPECT_EQ(decoded.rows.column(*shape.schema()->index_of("a")).null_count, 1U);
        EXPECT_EQ(decoded.rows.column(*shape.schema()->index_of("a__b")).null_count, 1U);
    }
}

TEST(JsonDecoder, BoundsTheColumnsThatDataMayAskFor) {
    std::vector<std::string> rows;
    for (int row = 0; row < 30; ++row) {
        std::string text = "{";
        for (int i = 0; i < 100; ++i) {
            text += (i == 0 ? "\"k" : ",\"k") + std::to_string(row * 100 + i) + "\":1";
        }
        rows.push_back(text + "}");
    }
    rows.push_back(rows[0]);
    const auto decoded = RowDecoder::create(RawFormat::json, Shape())->decode(raw_rows(rows));
    EXPECT_EQ(decoded.drift.size(), 2000U);
    ASSERT_EQ(decoded.rejected.size(), 10U);
    EXPECT_EQ(decoded.rejected[0].row, 20U);
    EXPECT_EQ(decoded.rejected[0].why.message(),
              "row asks for too many new columns, the first of which is k2000; keep nested values as json");
}

TEST(JsonDecoder, ShowsLongValuesCut) {
    const auto decoded = RowDecoder::create(RawFormat::json, shape_of("a: int64!"))
                             ->decode(raw_rows({R"({"a":")" + std::string(5000, 'x') + "\"}"}));
    ASSERT_EQ(decoded.rejected.size(), 1U);
    EXPECT_LT(decoded.rejected[0].why.message().size(), 200U);
}

TEST(InferShape, FindsColumnsTypesAndNames) {
    struct Case {
        Nesting nesting;
        std::vector<std::string> rows;
        const char* schema;
    };
    const Case cases[] = {
        {Nesting::flatten,
         {R"({"id":1,"n":null,"at":"2023-01-01","o":{"p":{"q":true}},"l":[1]})",
          R"({"id":2.5,"at":"2023-01-01T00:00:00"})"},
         "id: float64, at: timestamp, o__p__q: bool, l: json"},
        {Nesting::flatten, {R"({"a":"2023-01-01"})", R"({"a":""})"}, "a: string"},
        {Nesting::flatten,
         {R"({"a":1,"A":2,"o":{"x":1},"o__x":2})"},
         "a: int64, A_2: int64, o__x: int64, o__x_2: int64"},
        {Nesting::flatten, {R"({"a":12345678901234567890})", R"({"a":1})"}, "a: decimal(38,0)"},
        {Nesting::structure,
         {R"({"o":{"p":1,"l":[]}})", R"({"o":{"p":2.5,"l":[{"a":1},{"b":"x"}]}})"},
         "o: struct<p: float64, l: list<struct<a: int64, b: string>>>"},
        {Nesting::structure,
         {R"({"o":{"p":1,"P":2},"e":{},"l":[]})", R"({"m":{"k":1}})", R"({"m":{"K":1}})"},
         "o: json, m: json"},
        {Nesting::structure, {R"({"a":[1,{}],"b":[1]})", R"({"b":[[]]})"}, "a: json, b: json"},
        {Nesting::json, {R"({"o":{"p":1},"l":[1],"s":"x"})"}, "o: json, l: json, s: string"},
        {Nesting::flatten, {"[]", "{", R"({"a":1})"}, "a: int64"},
    };
    for (const auto& [nesting, rows, schema] : cases) {
        SCOPED_TRACE(rows[0]);
        Shape shape;
        shape.nesting = nesting;
        infer_shape(raw_rows(rows), 100, shape);
        EXPECT_EQ(shape.schema()->to_string(), schema);
    }
}

TEST(InferShape, SamplesAndWidensWhatIsThere) {
    Shape shape = shape_of("a: int64, d: int64!");
    infer_shape(raw_rows({R"({"a":1.5,"d":"x","new":1})", R"({"late":1})"}), 1, shape);
    EXPECT_EQ(shape.schema()->to_string(),
              "a: int64, d: int64");  // the row is rejected: it does not fit what was declared
    infer_shape(raw_rows({R"({"a":1.5,"d":2,"new":1})", R"({"late":1})"}), 1, shape);
    EXPECT_EQ(shape.schema()->to_string(), "a: float64, d: int64, new: int64");
}

}  // namespace
}  // namespace shaduf
