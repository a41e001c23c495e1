#include "models/configs/config_merge.h"

#include <gmock/gmock.h>

#include <random>

#include "models/yaml/parse_yaml.h"
#include "models/yaml/yaml_builder.h"
#include "tests/models/python_oracle.h"

namespace shaduf::models {
namespace {

YamlTree yaml(std::string_view text) {
    auto tree = parse_yaml(text, "test.yml");
    EXPECT_TRUE(tree.ok()) << text;
    return tree.release_value();
}

// What differs from the defaults, as JSON.
std::string changes(ConfigResource resource, const YamlTree& config) {
    const YamlTree defaults = ConfigMerge(resource, {}, std::nullopt).merge({}, nullptr, nullptr).release_value();
    YamlBuilder builder;
    builder.begin_map();
    for (const YamlEntry& entry : config.root().entries()) {
        const YamlNode* known = defaults.root().find(entry.key.text());
        if (known != nullptr && *known == entry.value) continue;
        builder.add(entry.key);
        builder.add(entry.value);
    }
    builder.end_map();
    return to_python_json(builder.finish().root());
}

struct Case {
    std::string_view own;         // the section of the node's package, p
    std::string_view properties;  // of its YAML
    std::string_view call;        // config() in the file
    std::string_view root;        // the section of the root project; "" when that is p
    std::string_view expected;    // of p.staging.orders
};

std::string outcome(ConfigResource resource, const Case& test) {
    const auto root = test.root.empty() ? std::nullopt : std::optional(ConfigSource{yaml(test.root), "root.yml"});
    const ConfigMerge merge(resource, {yaml(test.own), "own.yml"}, root);
    const ConfigSource properties{yaml(test.properties), "schema.yml"};
    const ConfigSource call{yaml(test.call), "orders.sql"};
    const std::string_view fqn[] = {"p", "staging", "orders"};
    const auto config = merge.merge(fqn, &properties, &call);
    return config.ok() ? changes(resource, config.value()) : config.error().to_string();
}

TEST(ConfigMerge, LayersComeOverEachOther) {
    constexpr Case kCases[] = {
        {"", "", "", "", "{}"},
        {"+materialized: table", "", "", "", R"({"materialized": "table"})"},
        {"materialized: table", "", "", "", R"({"materialized": "table"})"},
        {"{p: {+schema: a, staging: {+schema: b, orders: {+schema: c}}}}", "", "", "", R"({"schema": "c"})"},
        {"{p: {+schema: a, staging: {+schema: ~}}}", "", "", "", "{}"},
        {"{p: {+schema: a, other: {+schema: b}}, q: {+schema: c}}", "", "", "", R"({"schema": "a"})"},
        {"{staging: {+schema: a}}", "", "", "", "{}"},
        // A map without + is a folder, with it a config.
        {"{p: {meta: {a: 1}, +meta: {b: 2}}}", "", "", "", R"({"meta": {"b": 2}})"},
        {"{+ materialized : table}", "", "", "", R"({"materialized": "table"})"},
        // Of both spellings in one folder, the later one counts.
        {"{+schema: a, schema: b}", "", "", "", R"({"schema": "b"})"},
        // What a wider scope gave, and each rule.
        {"{+tags: a, p: {+tags: [b, a]}}", "tags: c", "tags: [d]", "", R"({"tags": ["a", "b", "a", "c", "d"]})"},
        {"{+meta: {a: 1, b: {c: 1}}, p: {+meta: {b: {d: 2}}}}", "meta: {e: 3}", "", "",
         R"({"meta": {"a": 1, "b": {"d": 2}, "e": 3}})"},
        {"{+grants: {select: a, insert: [b]}, p: {+grants: {+select: [c], insert: d, +new: e}}}", "", "", "",
         R"({"grants": {"select": ["a", "c"], "insert": ["d"], "new": ["e"]}})"},
        {"{+persist_docs: {relation: true}, p: {+persist_docs: {columns: true}}}", "", "", "",
         R"({"persist_docs": {"columns": true}})"},
        {"{+pre-hook: a, p: {+pre_hook: [b, {sql: c, transaction: false}]}}", "",
         R"(pre_hook: '{"sql": "d", "transaction": false}')", "",
         R"({"pre-hook": [{"sql": "a", "transaction": true, "index": null}, )"
         R"({"sql": "b", "transaction": true, "index": null}, )"
         R"({"sql": "c", "transaction": false, "index": null}, {"sql": "d", "transaction": false, "index": null}]})"},
        {"{+docs: {show: false}, p: {+docs: {node_color: red}}}", "", "", "",
         R"({"docs": {"show": false, "node_color": "red"}})"},
        {"+static_analysis: off", "", "", "", R"({"static_analysis": "off"})"},
        {"{+zz: 1, p: {+zz: {a: 1}}}", "zz2: ~", "", "", R"({"zz": {"a": 1}, "zz2": null})"},
        // Who comes over whom.
        {"+materialized: a", "materialized: b", "materialized: c", "", R"({"materialized": "c"})"},
        {"+materialized: a", "materialized: b", "", "", R"({"materialized": "b"})"},
        {"+materialized: a", "materialized: b", "materialized: c", "{p: {+materialized: d}}",
         R"({"materialized": "d"})"},
        {"+materialized: a", "", "", "{q: {+materialized: d}}", R"({"materialized": "a"})"},
        {"+tags: a", "tags: b", "tags: c", "{+tags: d, p: {staging: {+tags: e}}}",
         R"({"tags": ["a", "b", "c", "d", "e"]})"},
        // What cannot be merged.
        {"p:\n  +meta: 5", "", "", "", "own.yml:2: config meta takes a map, not a whole number: 5"},
        {"", "column_types: [a]", "", "", "schema.yml:1: config column_types takes a map, not a list: [\"a\"]"},
        {"", "", "grants: x", "", "orders.sql:1: config grants takes a map, not a text: x"},
        {"", "", "", "+docs: ~", "root.yml:1: config docs takes a map, not nothing: null"},
        {"", "", "access: secret", "",
         "orders.sql:1: config access takes one of private, protected, public, not a text: secret"},
        {"", "unique_key: {a: 1}", "", "",
         "schema.yml:1: config unique_key takes a text or a list of texts, not a map: {\"a\": 1}"},
        {"q: {+meta: 5}", "", "", "", "{}"},
    };
    for (const Case& test : kCases) {
        SCOPED_TRACE(std::string(test.own) + " | " + std::string(test.root));
        EXPECT_EQ(outcome(ConfigResource::model, test), test.expected);
    }
}

TEST(ConfigMerge, FoldersAreMadeOnce) {
    const ConfigMerge merge(ConfigResource::model, {yaml("{p: {+tags: a, staging: {+tags: b}}}"), "own.yml"},
                            std::nullopt);
    const std::string_view a[] = {"p", "staging", "a"};
    const std::string_view b[] = {"p", "staging", "b"};
    const auto first = merge.merge(a, nullptr, nullptr).release_value();
    const auto second = merge.merge(b, nullptr, nullptr).release_value();
    EXPECT_EQ(first.root().entries().data(), second.root().entries().data());
    EXPECT_EQ(changes(ConfigResource::model, first), R"({"tags": ["a", "b"]})");
}

TEST(ConfigMerge, AliasesAreTranslated) {
    constexpr std::pair<std::string_view, std::string_view> kAliases[] = {{"dbname", "database"}, {"pass", "password"}};
    const auto read = [&](std::string_view own) {
        const ConfigMerge merge(ConfigResource::model, {yaml(own), "own.yml"}, std::nullopt, kAliases);
        const auto config = merge.merge({}, nullptr, nullptr);
        return config.ok() ? changes(ConfigResource::model, config.value()) : config.error().to_string();
    };
    EXPECT_EQ(read("+dbname: x"), R"({"database": "x"})");
    EXPECT_EQ(read("{+dbname: x, database: y}"), "own.yml:1: both dbname and database are given; keep database");
}

TEST(ConfigMerge, FoldersThatNoNodeIsInAreTold) {
    const ConfigMerge merge(ConfigResource::model,
                            {yaml("{p: {staging: {orders: {}}, gone: {x: {}}}, q: {+tags: a}}"), ""}, std::nullopt);
    const std::vector<std::vector<std::string_view>> used = {{"p", "staging", "orders"}, {"p", "b"}};
    EXPECT_THAT(merge.unused_paths(used),
                testing::ElementsAre(testing::ElementsAre("p", "gone"), testing::ElementsAre("q")));
}

TEST(ConfigCheck, SaysWhatAFieldTakes) {
    struct CheckCase {
        ConfigResource resource;
        std::string_view config;
        std::string_view expected;
    };
    constexpr CheckCase kCases[] = {
        {ConfigResource::model, "{}", ""},
        {ConfigResource::model, "enabled: 'yes'", "config enabled of a model takes true or false, not a text: yes"},
        {ConfigResource::model, "{tags: [a, 1]}",
         "config tags of a model takes a text or a list of texts, not a list: [\"a\", 1]"},
        {ConfigResource::model, "schema: 5", "config schema of a model takes a text, not a whole number: 5"},
        {ConfigResource::model, "pre-hook: [{transaction: true}]",
         "config pre-hook of a model takes SQL texts, or maps with sql and transaction, not a list: "
         "[{\"sql\": null, \"transaction\": true, \"index\": null}]"},
        {ConfigResource::model, "{materialized: incremental, contract: {enforced: true}}",
         "an incremental model with a contract takes on_schema_change append_new_columns or fail, not ignore"},
        {ConfigResource::seed, "materialized: table", "a seed takes materialized seed, not table"},
        {ConfigResource::data_test, "severity: Warn", ""},
        {ConfigResource::data_test, "severity: info", "severity takes warn or error, not info"},
        {ConfigResource::data_test, "limit: many",
         "config limit of a data test takes a whole number, not a text: many"},
        {ConfigResource::source, "freshness: ~", ""},
    };
    for (const auto& [resource, config, expected] : kCases) {
        SCOPED_TRACE(config);
        const ConfigMerge merge(resource, {}, std::nullopt);
        const ConfigSource call{yaml(config), "a.sql"};
        const auto errors =
            check_config(resource, merge.merge({}, nullptr, &call).value().root(), Place::in_file("a.sql", 0));
        EXPECT_EQ(errors.empty() ? "" : errors[0].message(), expected);
    }
}

// Cases as JSON; the finished config of each, as dbt makes it, or "error".
constexpr std::string_view kOracle = R"py(
import sys, json
try:
    from dbt.adapters.factory import FACTORY
    from dbt.context.context_config import ContextConfig, ContextConfigGenerator
    from dbt.node_types import NodeType
    FACTORY.load_plugin('duckdb')
except ImportError:
    sys.exit(77)
class Credentials:
    type = 'duckdb'
    def translate_aliases(self, values): return dict(values)
class P: pass
def project(name, section, tree):
    p = P()
    p.project_name = name
    p.credentials = Credentials()
    for key in ['models', 'seeds', 'snapshots', 'sources', 'data_tests', 'unit_tests', 'metrics', 'semantic_models',
                'saved_queries', 'exposures', 'functions']:
        setattr(p, key, tree if key == section else {})
    return p
for resource, section, own, properties, calls, root in json.load(sys.stdin):
    try:
        package = project('p', section, own)
        active = package if root is None else project('r', section, root)
        active.load_dependencies = lambda: {'p': package}
        merged = ContextConfig(active, ['p', 's', 'm'], NodeType(resource), 'p')
        for call in calls:
            merged.add_config_call(call)
        result = ContextConfigGenerator(active).calculate_node_config_dict(
            config_call_dict=merged._config_call_dict, fqn=['p', 's', 'm'], resource_type=NodeType(resource),
            project_name='p', base=False, patch_config_dict=properties)
        print(json.dumps(result, sort_keys=True))
    except Exception as e:
        print('error')
)py";

// As dbt's omit_none leaves it: without nulls, but for those within maps that users fill.
void add_without_nulls(const YamlNode& node, YamlBuilder& builder, bool free,
                       std::optional<ConfigResource> top = std::nullopt) {
    if (node.is_list()) {
        builder.begin_list();
        for (const YamlNode& item : node.items()) add_without_nulls(item, builder, free);
        return builder.end_list();
    }
    if (!node.is_map()) return builder.add(node);
    constexpr std::string_view kObjects[] = {
        "pre-hook", "post-hook",  "docs",        "contract",   "freshness", "snapshot_meta_column_names",
        "cache",    "warn_after", "error_after", "build_after"};
    builder.begin_map();
    for (const YamlEntry& entry : node.entries()) {
        const bool known = !top || find_config_field(*top, entry.key.text()) != nullptr;
        if (!free && known && entry.value.is_null()) continue;
        const bool object = std::find(std::begin(kObjects), std::end(kObjects), entry.key.text()) != std::end(kObjects);
        builder.add(entry.key);
        add_without_nulls(entry.value, builder, free || !object);
    }
    builder.end_map();
}

struct RandomCase {
    ConfigResource resource;
    YamlTree own, properties, root;
    std::vector<YamlTree> calls;
    bool has_root;
};

std::string ours(const RandomCase& test) {
    const auto root = test.has_root ? std::optional(ConfigSource{test.root, "root.yml"}) : std::nullopt;
    const ConfigMerge merge(test.resource, {test.own, "own.yml"}, root);
    const auto calls = merge_config_calls(test.calls, "m.sql");
    if (!calls.ok()) return "error";
    const ConfigSource properties{test.properties, "schema.yml"};
    const ConfigSource call{calls.value(), "m.sql"};
    const std::string_view fqn[] = {"p", "s", "m"};
    const auto merged = merge.merge(fqn, &properties, &call);
    if (!merged.ok()) return "error";
    if (!check_config(test.resource, merged.value().root(), {}).empty()) return "error";
    const YamlTree finished = finish_config(test.resource, merged.value());
    YamlBuilder builder;
    builder.keep(finished);
    add_without_nulls(finished.root(), builder, false, test.resource);
    return to_python_json(builder.finish().root(), JsonKeys::sorted);
}

class CaseMaker {
public:
    explicit CaseMaker(uint32_t seed) : engine_(seed) {}

    RandomCase make() {
        constexpr ConfigResource kResources[] = {
            ConfigResource::model,       ConfigResource::model,    ConfigResource::seed,
            ConfigResource::snapshot,    ConfigResource::source,   ConfigResource::data_test,
            ConfigResource::unit_test,   ConfigResource::metric,   ConfigResource::semantic_model,
            ConfigResource::saved_query, ConfigResource::exposure, ConfigResource::function};
        RandomCase test;
        test.resource = kResources[below(std::size(kResources))];
        test.own = yaml(level(3, test.resource));
        test.properties = yaml("{" + configs(below(3), "", test.resource) + "}");
        for (size_t count = below(4); count > 0; --count) {
            test.calls.push_back(yaml("{" + configs(1 + below(2), "", test.resource) + "}"));
        }
        test.has_root = below(2) == 0;
        test.root = yaml(level(3, test.resource));
        return test;
    }

private:
    size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(engine_); }

    std::string value() {
        constexpr std::string_view kValues[] = {"a",
                                                "[a, b]",
                                                "[c]",
                                                "{a: 1}",
                                                "{a: 2, +b: x}",
                                                "{+a: [y]}",
                                                "true",
                                                "false",
                                                "~",
                                                "5",
                                                "{show: false}",
                                                "{node_color: red}",
                                                "{enforced: true}",
                                                "''",
                                                "{sql: x, transaction: false}",
                                                "table",
                                                "incremental",
                                                "warn",
                                                "ephemeral",
                                                "[]",
                                                "{}"};
        return std::string(kValues[below(std::size(kValues))]);
    }
    std::string configs(size_t count, std::string_view plus, ConfigResource resource) {
        constexpr std::string_view kNames[] = {"tags",
                                               "meta",
                                               "grants",
                                               "docs",
                                               "pre-hook",
                                               "post-hook",
                                               "schema",
                                               "enabled",
                                               "zz",
                                               "alias",
                                               "quoting",
                                               "column_types",
                                               "contract",
                                               "materialized",
                                               "persist_docs",
                                               "packages",
                                               "severity",
                                               "store_failures",
                                               "store_failures_as",
                                               "unique_key",
                                               "full_refresh"};
        std::string text;
        for (; count > 0; --count) {
            const auto fields = config_fields(resource);
            const bool own_field = below(3) > 0;
            const auto name = own_field ? fields[below(fields.size())].name : kNames[below(std::size(kNames))];
            if (name == "freshness" || name == "volatility" || name == "export_as") continue;
            text += (text.empty() ? "" : ", ") + std::string(plus) + std::string(name) + ": " + fitting(name);
        }
        return text;
    }
    // Mostly what the field takes.
    std::string fitting(std::string_view name) {
        const auto pick = [&](std::initializer_list<std::string_view> values) {
            return std::string(values.begin()[below(values.size())]);
        };
        // Texts of one letter: where dbt takes a list only, it makes one of the letters of a text.
        if (name == "tags") return pick({"a", "[a, b]", "[c]", "[]"});
        if (below(12) == 0) return value();
        if (name == "grants")
            return pick({"{select: a}", "{+select: [b, c]}", "{insert: [x], +insert: y}", "{+other: z}"});
        if (name == "meta" || name == "quoting" || name == "column_types")
            return pick({"{a: 1}", "{a: ~, b: {c: 1}}", "{b: {d: 2}}", "{}"});
        if (name == "docs") return pick({"{show: false}", "{node_color: red}", "{}"});
        if (name == "contract") return pick({"{enforced: false}", "{alias_types: false}"});
        if (name == "pre-hook" || name == "post-hook") {
            return pick({"a", "[a, b]", "{sql: x}", "[{sql: y, transaction: false}]",
                         "'{\"sql\": \"j\", \"transaction\": false}'"});
        }
        if (name == "enabled" || name == "full_refresh" || name == "store_failures") return pick({"true", "false"});
        if (name == "packages") return pick({"[a]", "[b, c]"});
        if (name == "persist_docs") return pick({"{relation: true}", "{columns: true}"});
        if (name == "access") return pick({"private", "public"});
        if (name == "severity") return pick({"warn", "ERROR"});
        if (name == "store_failures_as") return pick({"view", "table", "ephemeral"});
        if (name == "limit") return pick({"5", "~"});
        if (name == "on_configuration_change") return pick({"fail", "continue"});
        if (name == "snapshot_meta_column_names") return pick({"{dbt_valid_to: x}", "{dbt_scd_id: y}"});
        if (name == "cache") return pick({"{enabled: true}", "{}"});
        if (name == "static_analysis") return pick({"off", "on"});
        if (name == "type") return pick({"scalar", "aggregate"});
        return pick({"a", "b", "c"});
    }
    std::string level(size_t depth, ConfigResource resource) {
        constexpr std::string_view kFolders[] = {"p", "s", "m", "q"};
        std::string text = configs(below(3), below(4) == 0 ? "" : "+", resource);
        if (depth > 0 && below(5) > 0) {
            const auto folder = below(6) > 0 ? kFolders[3 - depth] : kFolders[below(4)];
            text += (text.empty() ? "" : ", ") + std::string(folder) + ": {" + level(depth - 1, resource) + "}";
        }
        return depth == 3 ? "{" + text + "}" : text;
    }

    std::mt19937 engine_;
};

std::string_view dbt_name(ConfigResource resource) {
    switch (resource) {
        case ConfigResource::data_test: return "test";
        case ConfigResource::unit_test: return "unit_test";
        case ConfigResource::semantic_model: return "semantic_model";
        case ConfigResource::saved_query: return "saved_query";
        default: return to_string(resource);
    }
}

void add_case(const RandomCase& test, YamlBuilder& builder) {
    builder.begin_list();
    builder.add_text(dbt_name(test.resource));
    std::string section(to_string(config_section(test.resource)));
    std::replace(section.begin(), section.end(), '-', '_');
    builder.add_text(section);
    builder.add(test.own.root());
    builder.add(test.properties.root());
    builder.begin_list();
    for (const YamlTree& call : test.calls) builder.add(call.root());
    builder.end_list();
    if (test.has_root) {
        builder.add(test.root.root());
    } else {
        builder.add_null();
    }
    builder.end_list();
}

TEST(DbtOracle, ConfigsAreMergedAsDbtMergesThem) {
    const char* python = std::getenv("SHADUF_DBT_PYTHON");
    if (python == nullptr) GTEST_SKIP() << "SHADUF_DBT_PYTHON names no Python with dbt: configs are not compared";
    CaseMaker maker(1911);
    std::vector<RandomCase> cases;
    YamlBuilder builder;
    builder.begin_list();
    for (int i = 0; i < 5'000; ++i) add_case(cases.emplace_back(maker.make()), builder);
    builder.end_list();
    const auto expected = run_python(kOracle, to_python_json(builder.finish().root()), python);
    if (!expected) GTEST_SKIP() << "SHADUF_DBT_PYTHON has no dbt: configs are not compared";
    ASSERT_EQ(expected->size(), cases.size());
    size_t compared = 0;
    for (size_t i = 0; i < cases.size(); ++i) {
        const RandomCase& test = cases[i];
        std::string calls;
        for (const YamlTree& call : test.calls) calls += to_python_json(call.root()) + " ";
        compared += (*expected)[i] != "error" ? 1 : 0;
        EXPECT_EQ(ours(test), (*expected)[i])
            << to_string(test.resource) << "\nown: " << to_python_json(test.own.root())
            << "\nproperties: " << to_python_json(test.properties.root()) << "\ncalls: " << calls
            << "\nroot: " << (test.has_root ? to_python_json(test.root.root()) : "none");
    }
    EXPECT_GT(compared, cases.size() / 3);
}

}  // namespace
}  // namespace shaduf::models
