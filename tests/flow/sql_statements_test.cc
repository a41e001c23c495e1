#include "flow/sql_statements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shaduf {
namespace {

TEST(SplitStatements, PartsAtSemicolonsOutsideOfTexts) {
    const std::pair<const char*, std::vector<std::string>> cases[] = {
        {"", {}},
        {" ;; -- nothing;\n/* ; */ ;", {}},
        {"SELECT 1", {"SELECT 1"}},
        {"a; b ;\n c;", {"a", "b", "c"}},
        {"SELECT ';' , 'it''s;' ; b", {"SELECT ';' , 'it''s;'", "b"}},
        {"SELECT \"a;\"\"b\"; b", {"SELECT \"a;\"\"b\"", "b"}},
        {"a -- x; y\n; b", {"a -- x; y", "b"}},
        {"a /* x; /* y; */ z; */ ; b", {"a /* x; /* y; */ z; */", "b"}},
        {"DO $$ begin; end $$; b", {"DO $$ begin; end $$", "b"}},
        {"DO $x$ a; $$; $x$; b", {"DO $x$ a; $$; $x$", "b"}},
        {"SELECT $1; b", {"SELECT $1", "b"}},
        {"SELECT a$b$c; d$b$", {"SELECT a$b$c", "d$b$"}},
        {"SELECT 'open; b", {"SELECT 'open; b"}},
        {"SELECT /* open; b", {"SELECT /* open; b"}},
        {"SELECT $$open; b", {"SELECT $$open; b"}},
    };
    for (const auto& [script, expected] : cases) {
        SCOPED_TRACE(script);
        EXPECT_EQ(split_statements(script), expected);
    }
}

}  // namespace
}  // namespace shaduf
