#include "data/json_schema.h"

#include <gtest/gtest.h>

namespace shaduf {
namespace {

TEST(JsonSchema, GivesColumns) {
    const struct {
        const char* property;
        const char* columns;  // "": what it is is left to the data
    } cases[] = {
        {R"({"type": "integer"})", "c: int64"},
        {R"({"type": ["null", "integer"]})", "c: int64"},
        {R"({"type": "number"})", "c: float64"},
        {R"({"type": "number", "airbyte_type": "integer"})", "c: int64"},
        {R"({"type": ["integer", "number", "null"]})", "c: float64"},
        {R"({"type": ["string", "integer"]})", "c: string"},
        {R"({"type": "boolean"})", "c: bool"},
        {R"({"type": "string"})", "c: string"},
        {R"({"type": "string", "format": "date"})", "c: date"},
        {R"({"type": "string", "format": "date-time"})", "c: timestamp_tz"},
        {R"({"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"})", "c: timestamp"},
        {R"({"type": "string", "airbyte_type": "timestamp_with_timezone"})", "c: timestamp_tz"},
        {R"({"type": "string", "format": "time"})", "c: time"},
        {R"({"type": "string", "airbyte_type": "big_integer"})", ""},
        {R"({"type": "array", "items": {"type": "string"}})", "c: json"},
        {R"({"anyOf": [{"type": "null"}, {"type": "string", "format": "date"}]})", "c: date"},
        {R"({"oneOf": [{"type": "integer"}, {"type": "number"}]})", "c: float64"},
        {R"({"anyOf": [{"type": "string"}, {"type": "object"}]})", ""},
        {R"({"$ref": "WellKnownTypes.json#/definitions/TimestampWithoutTimezone"})", "c: timestamp"},
        {R"({"$ref": "#/definitions/unknown"})", ""},
        {R"({"type": "object"})", ""},
        {R"({"type": "null"})", ""},
        {R"({"type": 3})", ""},
        {R"({"type": [3]})", ""},
        {R"({})", ""},
        {R"(true)", ""},
        {R"({"type": ["null", "object"], "properties": {"d": {"type": "string"}, "e": {"type": "object"}}})",
         "c__d: string"},
        {R"({"oneOf": [{"type": "null"}, {"type": "object", "properties": {"d": {"type": "boolean"}}}]})",
         "c__d: bool"},
    };
    for (const auto& [property, columns] : cases) {
        SCOPED_TRACE(property);
        Shape shape;
        shape.columns = columns_of_json_schema(std::string(R"({"properties": {"c": )") + property + "}}");
        EXPECT_EQ(shape.schema()->to_string(), columns);
    }
}

TEST(JsonSchema, TakesWhateverComes) {
    for (const char* schema : {"", "[]", "{", "null", R"({"properties": 1})", R"({"properties": {"a": null}})"}) {
        SCOPED_TRACE(schema);
        EXPECT_TRUE(columns_of_json_schema(schema).empty());
    }
    // Names that differ in case alone: the first stays.
    Shape shape;
    shape.columns = columns_of_json_schema(R"({"properties": {"Id": {"type": "integer"}, "id": {"type": "string"}}})");
    EXPECT_EQ(shape.schema()->to_string(), "Id: int64");
}

}  // namespace
}  // namespace shaduf
