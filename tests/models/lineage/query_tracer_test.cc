#include <gtest/gtest.h>

#include "io/duckdb.h"
#include "models/lineage/query_tracer.h"
#include "tests/world.h"

namespace shaduf::models {
namespace {

// t(a, b, c), u(a, d), s(k, v), and "o" and "p", whose columns nobody knows.
class Tables final : public TableLookup {
public:
    TracedRelationPtr find(std::string_view, std::string_view, std::string_view name) const override {
        auto relation = std::make_shared<TracedRelation>();
        relation->table = name;
        std::vector<std::string> columns;
        if (name == "t") columns = {"a", "b", "c"};
        if (name == "u") columns = {"a", "d"};
        if (name == "s") columns = {"k", "v"};
        for (const std::string& column : columns) {
            relation->columns.push_back({column, {{{relation->table, column}, LineageKind::copied}}, ""});
        }
        if (columns.empty()) relation->add_more({{relation->table}, false, "columns of " + relation->table});
        return relation;
    }
};

// "x=t.a y=(t.a t.b) n=[t.c] | conditions | absent | ? why": copied, transformed in (), aggregated in [], a reason as
// ?.
std::string shown(const NodeLineage& lineage) {
    std::string text;
    for (const ColumnLineage& column : lineage.columns) {
        text += column.name + "=";
        std::string sources;
        LineageKind strongest = LineageKind::copied;
        for (const ColumnSource& source : column.sources) {
            sources += (sources.empty() ? "" : "+") + source.from.relation + "." + source.from.column;
            strongest = std::max(strongest, source.kind);
        }
        if (strongest == LineageKind::transformed) sources = "(" + sources + ")";
        if (strongest == LineageKind::aggregated) sources = "[" + sources + "]";
        text += sources + (column.unknown.empty() ? "" : "?") + " ";
    }
    const auto names = [&](std::string_view mark, const std::vector<ColumnName>& all) {
        if (!all.empty()) text += std::string(mark) + " ";
        for (const ColumnName& name : all) text += name.relation + "." + name.column + " ";
    };
    names("|", lineage.conditions);
    names("!", lineage.absent);
    if (!lineage.unknown.empty()) text += "?";
    if (!text.empty() && text.back() == ' ') text.pop_back();
    return text;
}

struct Case {
    std::string sql, expected;
};

class QueryTracerTest : public testing::Test {
protected:
    QueryTracerTest() : parser_(SqlParser::create(world_.run).release_value()) {}
    std::string trace(const std::string& sql, SqlDialect dialect = SqlDialect::duckdb) {
        const std::vector<std::string> texts = {sql};
        const auto parsed = parser_->parse(texts).release_value();
        if (parsed[0].query == nullptr) return "no query: " + parsed[0].unknown;
        return shown(QueryTracer(tables_, *parser_, dialect).trace(*parsed[0].query));
    }
    void check(const std::vector<Case>& cases, SqlDialect dialect = SqlDialect::duckdb) {
        for (const Case& one : cases) EXPECT_EQ(trace(one.sql, dialect), one.expected) << one.sql;
    }

    DuckDbInstances databases_;
    World world_{databases_};
    Tables tables_;
    std::unique_ptr<SqlParser> parser_;
};

TEST_F(QueryTracerTest, FollowsExpressions) {
    check({
        {"select a, t.b as x from t", "a=t.a x=t.b"},
        {"select a + b as x, 1 as one, a::int as i from t", "x=(t.a+t.b) one= i=(t.a)"},
        {"select sum(a) as x, count(*) as n, max(b) filter (where c > 1) as m from t", "x=[t.a] n= m=[t.b+t.c]"},
        {"select 1 + sum(a) as x from t", "x=[t.a]"},
        {"select sum(a) over (partition by b) as x, lag(a) over (order by c) as y from t", "x=[t.a+t.b] y=(t.a+t.c)"},
        {"select case when a > 1 then b else c end as x from t", "x=(t.a+t.b+t.c)"},
        {"select a as x, x || 'y' as y from t", "x=t.a y=(t.a)"},
        {"select b as a, a as y from t", "a=t.b y=t.a"},
        {"select a.f.g as x, t.b.f as y from t", "x=(t.a) y=(t.b)"},
        {"select t as x from t", "x=(t.a+t.b+t.c)"},
        {"select list_transform(a, a -> a + b) as x from t", "x=(t.a+t.b)"},
        {"select unnest(a) as x from t", "x=(t.a)"},
        {"select (select max(d) from u where u.a = t.a) as x from t", "x=[u.d] | u.a t.a"},
        {"select a in (select d from u) as x, exists (select 1 from u where d = 1) as y from t",
         "x=(t.a+u.d) y= | u.d"},
        {"select current_date as x, rowid as r from t", "x= r="},
        {"select sum(a), a + 1, 7, 'x' from t", "sum(a)=[t.a] (a + 1)=(t.a) 7= 'x'="},
        {"select z, t.y from t", "z=? y=? ! .z t.y"},
    });
}

TEST_F(QueryTracerTest, FollowsTables) {
    check({
        {"select x.a, d from t x join u using (a)", "a=t.a d=u.d | t.a u.a"},
        {"select * from t join u using (a)", "a=t.a b=t.b c=t.c d=u.d | t.a u.a"},
        {"select * from t right join u using (a)", "a=u.a b=t.b c=t.c d=u.d | t.a u.a"},
        {"select * from t full join u using (a)", "a=(t.a+u.a) b=t.b c=t.c d=u.d | t.a u.a"},
        {"select * from t natural join u", "a=t.a b=t.b c=t.c d=u.d | t.a u.a"},
        {"select * from t semi join u on t.a = u.d", "a=t.a b=t.b c=t.c | t.a u.d"},
        {"select u.* from t join u on t.a = u.a", "a=u.a d=u.d | t.a u.a"},
        {"select q from (select a as q, b from t where c = 1) x", "q=t.a | t.c"},
        {"select * from (select a, b from t) x(p, q)", "p=t.a q=t.b"},
        {"with x as (select a, sum(b) as n from t group by 1), y as (select * from x) select n + 1 as m, a from y",
         "m=[t.b] a=t.a | t.a"},
        {"with x as (select a from t) select a from x where a in (with x as (select d as a from u) select a from x)",
         "a=t.a | t.a u.d"},
        {"with t as (select d as a from u) select * from t", "a=u.d"},
        {"with recursive r(n, d) as (select a, 1 from t union all select b, d + 1 from r join t on r.n = t.a) "
         "select * from r",
         "n=t.a+t.b d= | t.a t.b"},
        {"select l.q from t, lateral (select t.a + 1 as q) l", "q=(t.a)"},
        {"select x.i from t, unnest(t.b) as x(i)", "i=(t.b)"},
        {"select * from (values (1, 2)) v(p, q)", "p= q="},
        {"from t select a", "a=t.a"},
        {"select a from t order by b limit 1", "a=t.a | t.b"},
        {"select a from t order by b", "a=t.a"},
        {"select b, a from t group by 1, 2 order by 2 limit 3", "b=t.b a=t.a | t.b t.a"},
        {"select distinct on (b) a from t", "a=t.a | t.b"},
        {"select a from t group by a having max(c) > 1", "a=t.a | t.a t.c"},
        {"select a from t qualify row_number() over (partition by b order by c) = 1", "a=t.a | t.b t.c"},
        {"select * from (pivot t on b in ('x') using sum(c) group by a)", "a=t.a | t.c t.b ?"},
    });
}

TEST_F(QueryTracerTest, UnfoldsStars) {
    check({
        {"select * exclude (b) replace (c + 1 as c) from t", "a=t.a c=(t.c)"},
        {"select * rename (a as z) from t", "z=t.a b=t.b c=t.c"},
        {"select * exclude (u.a) from t, u", "a=t.a b=t.b c=t.c d=u.d"},
        {"select columns('[ab]') from t", "a=t.a b=t.b"},
        {"select columns(['c', 'a']) from t", "a=t.a c=t.c"},
        {"select * like 'b%' from t", "b=t.b"},
        {"select columns(*) from u", "a=u.a d=u.d"},
        {"select min(columns(*)) from u", "| u.a u.d ?"},
        {"select count(columns(c -> c like 'a%')) from u", "?"},
        {"select * from o", "?"},
        {"select *, a + 1 as x from o", "x=(o.a) ?"},
        {"with q as (select * from o) select q.x, y from q", "x=o.x y=o.y"},
        {"select x from o join p on true", "x=?"},
        {"select x, t.a, b from o join t on o.k = t.a", "x=o.x a=t.a b=t.b | o.k t.a"},
        {"select (select max(d) from o where k = a) as x from t", "x=[o.d] | o.k"},
        {"select lower(id) as id, id || 'x' as y from o", "id=(o.id) y=(o.id)"},
        {"select 1 as id, id || 'x' as y from o", "id= y=?"},
        {"select x from read_csv('a.csv')", "x=?"},
        {"select x from o, read_csv('a.csv')", "x=?"},
    });
}

TEST_F(QueryTracerTest, MatchesSetOperations) {
    check({
        {"select a, b from t union all select d, a from u", "a=t.a+u.d b=t.b+u.a"},
        {"select a from t union all by name select d, a from u", "a=t.a+u.a d=u.d"},
        {"select a from t except select d from u", "a=t.a | u.d"},
        {"select a from t intersect select d from u", "a=t.a | u.d"},
        {"select a from t union select b from t union select c from t", "a=t.a+t.b+t.c"},
        {"with q as (select * from o union all select * from p) select x from q", "x=?"},
    });
}

TEST_F(QueryTracerTest, NamesAsPostgres) {
    check(
        {
            {"select count(*), sum(a), a::int, coalesce(a, b), a + 1, max(b)::text from t",
             "count= sum=[t.a] a=(t.a) coalesce=(t.a+t.b) ?column?=(t.a) max=[t.b]"},
            {"select g from generate_series(1, 3) g", "g="},
            {"select 1 as id, id || 'x' as y from o", "id= y=(o.id)"},
            {"select * from (values (1)) v", "column1="},
        },
        SqlDialect::postgres);
}

TEST_F(QueryTracerTest, TellsWhatItCannotRead) {
    EXPECT_EQ(trace("create table x as select 1").find("no query: only queries can be read"), 0U);
    EXPECT_EQ(trace("select 1; select 2"), "no query: 2 statements where one query is needed");
    EXPECT_EQ(trace("selec 1").find("no query: DuckDB's parser does not take it: syntax error"), 0U);
    EXPECT_EQ(trace("").find("no query: 0 statements"), 0U);
}

}  // namespace
}  // namespace shaduf::models
