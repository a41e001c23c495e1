#include <gmock/gmock.h>

#include <algorithm>

#include "parsed_project.h"

namespace shaduf::models {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Properties, DescribeAModelAndItsColumns) {
    ParsedProject project;
    project.write("models/orders.sql", "select 1 as id");
    project.write("models/docs.md", "{% docs orders %}\nAll the orders.\n{% enddocs %}");
    project.write("models/schema.yml", R"(
models:
  - name: orders
    description: "{{ doc('orders') }}"
    meta: {owner: me}
    config: {tags: [daily], materialized: table}
    columns:
      - {name: id, description: "the key of {{ target.name }}", data_type: integer, tags: [pk], quote: true,
         meta: {a: 1}, config: {meta: {b: 2}, tags: pii}, colour: red}
)");
    project.parse();
    EXPECT_EQ(project.errors(), "");
    const Node* node = project.node("model.shop.orders");
    ASSERT_NE(node, nullptr);
    EXPECT_EQ(node->description, "All the orders.");
    EXPECT_THAT(node->doc_blocks, ElementsAre("doc.shop.orders"));
    EXPECT_EQ(node->patch_path, "shop://models/schema.yml");
    EXPECT_THAT(node->tags, ElementsAre("daily"));
    EXPECT_EQ(node->config.text("materialized"), "table");
    EXPECT_EQ(node->meta.repr(), "{'owner': 'me'}");
    ASSERT_EQ(node->columns.size(), 1U);
    const ColumnProperties& column = node->columns[0];
    EXPECT_EQ(column.description, "the key of dev");
    EXPECT_EQ(column.data_type, "integer");
    EXPECT_EQ(column.quote, true);
    EXPECT_EQ(column.meta.repr(), "{'a': 1, 'b': 2}");
    EXPECT_THAT(column.tags, ElementsAre("pk", "pii"));
    EXPECT_EQ(column.extra.repr(), "{'colour': 'red'}");
}

TEST(Properties, MakeGenericTests) {
    ParsedProject project;
    project.write("models/orders.sql", "select 1 as id");
    project.write("macros/t.sql",
                  "{% test above(model, column_name, low) %}{{ config(severity='warn') }}select 1{% endtest %}");
    project.write("models/schema.yml", R"(
models:
  - name: orders
    columns:
      - name: id
        tests:
          - unique
          - above: {arguments: {low: "{{ 1 + 1 }}"}, config: {where: "id > {{ 5 * 2 }}", tags: [t]}}
    data_tests:
      - above: {name: named, column_name: id, low: 3, limit: 7}
)");
    project.parse();
    EXPECT_EQ(project.errors(), "");
    ASSERT_EQ(project.tests().size(), 3U);
    const Node* named = nullptr;
    const Node* above = nullptr;
    for (const auto& node : project.manifest().nodes) {
        if (node->name == "named") named = node.get();
        if (node->name == "above_orders_id___1_1_") above = node.get();
    }
    ASSERT_NE(named, nullptr);
    ASSERT_NE(above, nullptr);
    EXPECT_EQ(named->config.get("limit").repr(), "7");
    EXPECT_EQ(named->config.text("severity"), "warn");
    EXPECT_EQ(named->raw_code, "{{ test_above(**_dbt_generic_test_kwargs) }}{{ config(limit=7) }}");
    EXPECT_EQ(above->config.text("where"), "id > 10");
    EXPECT_THAT(above->tags, ElementsAre("t"));
    // Arguments keep their Jinja until the test runs.
    EXPECT_EQ(above->test->arguments.dict().find("low")->text(), "{{ 1 + 1 }}");
    EXPECT_EQ(above->test->attached_node, "model.shop.orders");
    EXPECT_EQ(above->test->file_key_name, "models.orders");
    EXPECT_EQ(above->schema, "main_dbt_test__audit");
    EXPECT_THAT(above->depends_on_nodes, ElementsAre("model.shop.orders"));
    EXPECT_THAT(above->fqn, ElementsAre("shop", "above_orders_id___1_1_"));
}

TEST(Properties, MakeSources) {
    ParsedProject project;
    project.write("models/s.yml", R"(
sources:
  - name: raw
    schema: "{{ 'in' ~ 'box' }}"
    loader: us
    meta: {a: 1, b: 1}
    tags: [s]
    freshness: {warn_after: {count: 1, period: day}}
    loaded_at_field: at
    quoting: {identifier: true}
    tables:
      - name: orders
        identifier: ORDERS
        meta: {b: 2}
        tags: [t]
        freshness: {error_after: {count: 2, period: day}}
        columns: [{name: id, tests: [not_null]}]
      - {name: others, freshness: null, loaded_at_field: null, quoting: {identifier: false}}
      - {name: gone, config: {enabled: false}}
)");
    project.parse();
    EXPECT_EQ(project.errors(), "");
    const SourceTable* orders = project.manifest().source("source.shop.raw.orders");
    ASSERT_NE(orders, nullptr);
    EXPECT_EQ(orders->schema, "inbox");
    EXPECT_EQ(orders->identifier, "ORDERS");
    EXPECT_EQ(orders->loader, "us");
    EXPECT_EQ(orders->loaded_at_field, "at");
    EXPECT_EQ(orders->meta.repr(), "{'a': 1, 'b': 2}");
    EXPECT_EQ(orders->source_meta.repr(), "{'a': 1, 'b': 1}");
    EXPECT_THAT(orders->tags, ElementsAre("s", "t"));
    EXPECT_EQ(orders->freshness.repr(),
              "{'warn_after': {'count': 1, 'period': 'day'}, 'error_after': {'count': 2, 'period': 'day'}, 'filter': "
              "None}");
    const SourceTable* others = project.manifest().source("source.shop.raw.others");
    ASSERT_NE(others, nullptr);
    EXPECT_TRUE(others->freshness.is_none());
    EXPECT_EQ(others->loaded_at_field, std::nullopt);
    EXPECT_EQ(others->quoting.dict().find("identifier")->repr(), "False");
    EXPECT_EQ(project.manifest().source("source.shop.raw.gone"), nullptr);
    EXPECT_EQ(project.manifest().disabled_sources.size(), 1U);
    ASSERT_EQ(project.tests().size(), 1U);
    EXPECT_THAT(project.tests()[0], HasSubstr("test.shop.source_not_null_raw_orders_id."));
}

TEST(Properties, KnowVersionsOfAModel) {
    ParsedProject project;
    project.write("models/orders_v1.sql", "select 1 as id");
    project.write("models/orders.sql", "select 1 as id, 2 as extra");
    project.write("models/user.sql", "select * from {{ ref('orders') }}, {{ ref('orders', v=1) }}");
    project.write("models/schema.yml", R"(
models:
  - name: orders
    latest_version: 2
    columns: [{name: id, tests: [not_null]}, {name: old}]
    versions:
      - {v: 1, config: {materialized: table}}
      - {v: 2, columns: [{include: all, exclude: [old]}, {name: extra}]}
)");
    project.parse();
    EXPECT_EQ(project.errors(), "");
    const Node* first = project.node("model.shop.orders.v1");
    const Node* second = project.node("model.shop.orders.v2");
    ASSERT_NE(first, nullptr);
    ASSERT_NE(second, nullptr);
    EXPECT_EQ(first->alias, "orders_v1");
    EXPECT_EQ(first->config.text("materialized"), "table");
    EXPECT_EQ(second->alias, "orders_v2");
    EXPECT_EQ(second->latest_version, "2");
    EXPECT_THAT(second->fqn, ElementsAre("shop", "orders", "v2"));
    ASSERT_EQ(second->columns.size(), 2U);
    EXPECT_EQ(second->columns[1].name, "extra");
    EXPECT_THAT(project.node("model.shop.user")->depends_on_nodes,
                ElementsAre("model.shop.orders.v2", "model.shop.orders.v1"));
    EXPECT_THAT(project.tests(), testing::Contains(HasSubstr("test.shop.not_null_orders_v1_id.")));
}

TEST(Properties, UnitTestsHaveRowsOfEveryFormat) {
    ParsedProject project;
    project.write("models/a.sql", "select 1 as id");
    project.write("models/b.sql", "select * from {{ ref('a') }}");
    project.write("tests/fixtures/rows.csv", "id,note\n1,\n2,\"x, y\"\n");
    project.write("models/u.yml", R"(
unit_tests:
  - name: works
    model: b
    given:
      - {input: ref('a'), format: csv, fixture: rows}
    expect: {rows: [{id: 1, note: null}, {id: 2, note: x}]}
)");
    project.parse();
    EXPECT_EQ(project.errors(), "");
    ASSERT_EQ(project.manifest().unit_tests.size(), 1U);
    const UnitTest& test = *project.manifest().unit_tests[0];
    EXPECT_EQ(test.unique_id, "unit_test.shop.b.works");
    // A row without nulls goes first.
    EXPECT_EQ(test.given[0].rows.repr(), "[{'id': '2', 'note': 'x, y'}, {'id': '1', 'note': None}]");
    EXPECT_EQ(test.expect.rows.repr(), "[{'id': 2, 'note': 'x'}, {'id': 1, 'note': None}]");
    EXPECT_THAT(test.depends_on_nodes, ElementsAre("model.shop.b"));
}

TEST(Properties, KeepExposuresAndSnapshotsInYaml) {
    ParsedProject project;
    project.write("models/a.sql", "select 1 as id");
    project.write("models/e.yml", R"(
exposures:
  - {name: board, type: dashboard, owner: {name: me}, depends_on: [ref('a')], tags: [x],
     url: "https://{{ target.name }}"}
snapshots:
  - {name: snap, relation: ref('a'), config: {unique_key: id, strategy: check, check_cols: all}}
)");
    project.parse();
    EXPECT_EQ(project.errors(), "");
    ASSERT_EQ(project.manifest().declarations.size(), 1U);
    const Declaration& board = *project.manifest().declarations[0];
    EXPECT_EQ(board.unique_id, "exposure.shop.board");
    EXPECT_THAT(board.depends_on_nodes, ElementsAre("model.shop.a"));
    EXPECT_EQ(board.properties.dict().find("url")->text(), "https://dev");
    const Node* snapshot = project.node("snapshot.shop.snap");
    ASSERT_NE(snapshot, nullptr);
    EXPECT_EQ(snapshot->raw_code, "select * from {{ ref('a') }}");
    EXPECT_EQ(snapshot->config.text("unique_key"), "id");
    EXPECT_THAT(snapshot->depends_on_nodes, ElementsAre("model.shop.a"));
}

TEST(Properties, SayWhatIsWrongAndWhere) {
    struct Case {
        std::string_view yaml;
        std::string_view message;
    };
    const Case cases[] = {
        {"models: [{name: a, columns: {name: [}}]", "models/schema.yml:1:"},
        {"models:\n  - name: a\n  - name: a\n",
         "models/schema.yml:3: dbt found two schema.yml entries for the same resource named a: the other is at "
         "models/schema.yml:2; keep one of them"},
        {"models:\n  - name: a\n    description: \"{{ doc('nothing') }}\"\n",
         "models/schema.yml:3: Documentation for 'nothing' was not found"},
        {"models:\n  - name: a\n    tests:\n      - not_nul\n",
         "models/schema.yml:4: generic test not found: not_nul; did you mean not_null?"},
        {"models:\n  - name: a\n    tests:\n      - other.x\n",
         "models/schema.yml:4: generic test not found: other.x; there is no package other"},
        {"models:\n  - name: a\n    tests:\n      - unique:\n", "the arguments of test unique are a map, not"},
        {"models:\n  - name: a\n    meta: {x: 1}\n    config: {meta: {x: 2}}\n",
         "models/schema.yml:3: meta is given twice: in config and beside it"},
        {"models:\n  - name: a\n    config: {materialized: \"{{ var('unset') }}\"}\n",
         "models/schema.yml:3: Required var 'unset' not found"},
        {"models:\n  - name: a\n    columns:\n      - {name: id, constraints: [{type: prime}]}\n",
         "models/schema.yml:4: Invalid constraint type on column id: prime"},
        {"models:\n  - name: a\n    latest_version: 3\n    versions: [{v: 1}]\n",
         "models/schema.yml:3: latest_version 3 is none of the versions of a"},
        {"models: {name: a}\n", "models/schema.yml:1: models takes a list, not a map"},
        {"sources:\n  - name: s\n    loaded_at_field: a\n    loaded_at_query: b\n    tables: [{name: t}]\n",
         "models/schema.yml:2: Cannot specify both loaded_at_field and loaded_at_query at source level"},
        {"unit_tests:\n  - {name: u, model: nothing, given: [], expect: {rows: []}}\n",
         "Unable to find model 'shop.nothing' for unit test 'u'"},
        {"exposures:\n  - {name: e, type: dashbord, owner: {name: x}}\n", "did you mean dashboard?"},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.yaml);
        ParsedProject project;
        project.write("models/a.sql", "select 1 as id");
        project.write("models/schema.yml", one.yaml);
        project.parse();
        EXPECT_THAT(project.errors(), HasSubstr(one.message));
    }
}

TEST(Properties, GuardGroups) {
    struct Case {
        std::string_view group_of_user;
        std::string_view message;
    };
    const Case cases[] = {
        {"config: {group: money}", ""},
        {"config: {group: people}",
         "model.shop.user attempted to reference node model.shop.secret, which is not "
         "allowed because the referenced node is private to the 'money' group"},
        {"config: {group: mony}", "Invalid group 'mony': no such group is declared; did you mean money?"},
        {"config: {group: money, access: public, materialized: ephemeral}", "an ephemeral model cannot be public"},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.group_of_user);
        ParsedProject project;
        project.write("models/secret.sql", "select 1 as id");
        project.write("models/user.sql", "select * from {{ ref('secret') }}");
        project.write("models/schema.yml",
                      "groups: [{name: money, owner: {name: a}}, {name: people, owner: {name: b}}]\n"
                      "models:\n  - {name: secret, group: money, access: private}\n  - {name: user, " +
                          std::string(one.group_of_user) + "}\n");
        project.parse();
        if (one.message.empty())
            EXPECT_EQ(project.errors(), "");
        else
            EXPECT_THAT(project.errors(), HasSubstr(one.message));
    }
}

TEST(Properties, WarnOfWhatDoesNotCount) {
    ParsedProject project;
    project.write("models/a.sql", "select 1 as id");
    project.write("models/schema.yml",
                  "models:\n  - {name: a, descrpition: x}\n  - {name: nothing, tests: [{unique: {column_name: x}}]}\n"
                  "seeds:\n  - {name: a}\n");
    project.parse();
    EXPECT_EQ(project.errors(), "");
    EXPECT_THAT(project.warnings(), HasSubstr("models/schema.yml:2: unknown key of a model: descrpition; did you mean "
                                              "description?"));
    EXPECT_THAT(project.warnings(), HasSubstr("Did not find matching node for patch with name 'nothing'"));
    EXPECT_THAT(project.warnings(), HasSubstr("a is a model, not a seed"));
    // A test of nothing does not run.
    EXPECT_THAT(project.tests(), IsEmpty());
    EXPECT_EQ(project.manifest().disabled.size(), 1U);
}

}  // namespace
}  // namespace shaduf::models
