#include "models/run/unit_test_diff.h"

#include <gtest/gtest.h>

namespace shaduf::models {
namespace {

using jinja::Value;
using Rows = std::vector<Table::Row>;

const Value kNull = Value::none();

struct DiffCase {
    std::string_view what;
    Rows expected, actual;
    std::string_view difference;  // lines end with |; "": none
};

std::string shown(std::string text) {
    for (size_t at = text.find("\r\n"); at != std::string::npos; at = text.find("\r\n")) text.replace(at, 2, "|");
    return text;
}

Rows squares(int64_t changed) {
    Rows rows;
    for (int64_t i = 0; i < 10; ++i) rows.push_back({i, i == changed ? Value(0) : Value(i)});
    return rows;
}

TEST(UnitTestDiff, shows_what_daff_shows) {
    const DiffCase cases[] = {
        {"the same", {{1, 2}, {3, 4}}, {{3, 4}, {1, 2}}, ""},
        {"the same, twice", {{1, 2}, {1, 2}}, {{1, 2}, {1, 2}}, ""},
        {"nothing", {}, {}, ""},
        {"a changed cell", {{1, 5}, {2, 6}}, {{2, 7}, {1, 5}}, "@@,a,b|  ,1,5|→ ,2,6→7|"},
        {"nothing in common", {{1, 2}}, {{4, 5}}, "@@ ,a,b|+++,4,5|---,1,2|"},
        {"one is missing", {{1, 2}, {2, 2}}, {{1, 2}}, "@@ ,a,b|   ,1,2|---,2,2|"},
        {"one twice", {{1, 2}}, {{1, 2}, {1, 2}}, "@@ ,a,b|   ,1,2|+++,1,2|"},
        {"too many", {}, {{1, 2}}, "@@ ,a,b|+++,1,2|"},
        {"nulls and commas", {{1, kNull}}, {{1, "x, y"}}, "@@,a,b|→ ,1,\"NULL→x, y\"|"},
        {"null is no empty text", {{1, ""}}, {{1, kNull}}, "@@,a,b|→ ,1,→NULL|"},
        {"quotes", {{1, "say \"x\""}}, {{1, "y"}}, "@@,a,b|→ ,1,\"say \"\"x\"\"→y\"|"},
        {"columns are as wide as their cells", {{1, 5}, {100, 7}}, {{1, 5}, {100, 8}}, "@@,a  ,b|  ,1  ,5|→ ,100,7→8|"},
        {"rows alike that others are, too",
         {{1, 1}, {1, 2}, {1, 3}},
         {{1, 1}, {1, 4}, {1, 3}},
         "@@ ,a,b|   ,1,1|---,1,2|   ,1,3|+++,1,4|"},
        {"far rows are left out", squares(-1), squares(7),
         "@@ ,a  ,b|...,...,...|   ,6  ,6|→  ,7  ,7→0|   ,8  ,8|...,...,...|"},
    };
    for (const DiffCase& c : cases) {
        SCOPED_TRACE(c.what);
        const auto difference = table_difference(Table({"a", "b"}, c.expected), Table({"a", "b"}, c.actual));
        EXPECT_EQ(difference.has_value(), !c.difference.empty());
        EXPECT_EQ(shown(difference.value_or("")), c.difference);
    }
}

}  // namespace
}  // namespace shaduf::models
