#include "models/select/selector.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "models/yaml/parse_yaml.h"
#include "tests/models/made_manifest.h"

namespace shaduf::models {
namespace {

// raw.orders -> stg_orders -> orders -> report, stg_items -> orders, wide; a test of each kind.
class SelectorTest : public testing::Test {
protected:
    SelectorTest() {
        made_.source("raw", "orders");
        made_.source("raw", "items");
        Node& orders =
            made_.model("staging/stg_orders", {"source.shop.raw.orders"}, "{meta: {owner: ann}, tags: [x, y]}");
        orders.tags = {"nightly", "core"};
        orders.patch_path = "shop://models/staging/schema.yml";
        made_.model("staging/stg_items", {"source.shop.raw.items"}, "{materialized: ephemeral}").tags = {"nightly"};
        Node& marts = made_.model("marts/orders", {"stg_orders", "stg_items"}, "{materialized: table}");
        marts.access = "public";
        marts.group = "sales";
        made_.model("marts/wide", {"orders"});
        made_.model("marts/blank", {}).raw_code = "  ";
        for (const std::string version : {"1", "2"}) {
            Node& node = made_.model("marts/dim");
            node.unique_id += ".v" + version;
            node.fqn.push_back("v" + version);
            node.version = version;
            node.latest_version = "1";
        }
        made_.test("unique_stg_orders", "unique", {"stg_orders"});
        made_.test("relationships_orders", "relationships", {"orders", "stg_items"});
        made_.node(ResourceType::test, "singular", {"model.shop.wide"});
        made_.unit_test("totals", "orders");
        made_.exposure("report", {"model.shop.orders"});
        for (const char* path : {"models/staging/stg_orders.sql", "models/marts/orders.sql", "models/marts/wide.sql",
                                 "models/staging/schema.yml", "models/sources.yml"}) {
            folder_.write(path, "");
        }
        const auto tree = parse_yaml(kSelectors, "selectors.yml");
        EXPECT_TRUE(tree.ok());
        selectors_ = YamlSelectors::read(tree.value(), "selectors.yml", IndirectSelection::eager).release_value();
    }

    // The names, joined; an error as its message.
    std::string select(const std::string& text, IndirectSelection indirect = IndirectSelection::empty,
                       const std::vector<std::string>& exclude = {}) {
        Selector selector({.manifest = made_.done(),
                           .project_root = folder_.at(""),
                           .selectors = &selectors_,
                           .warn = [this](const std::string& warning) { warnings_.push_back(warning); }});
        const auto spec = parse_selection(std::vector<std::string>{text}, exclude, indirect);
        if (!spec.ok()) return spec.error().message();
        const auto found = selector.select(spec.value());
        if (!found.ok()) return found.error().message();
        std::vector<std::string> names;
        for (const uint32_t index : found.value().indexes()) {
            const std::string id(selector.members()[index].unique_id);
            names.push_back(id.substr(id.find("shop.") + 5));
        }
        std::sort(names.begin(), names.end());
        return join(names, " ");
    }

    static constexpr std::string_view kSelectors = R"(
selectors:
  - name: text
    definition: "tag:core+1"
  - name: short
    definition: {tag: nightly}
  - name: full
    default: true
    definition:
      union:
        - {method: fqn, value: orders, parents: true, parents_depth: 1}
        - intersection: ["tag:nightly", "config.materialized:ephemeral"]
        - exclude: [{method: selector, value: text}]
)";
    MadeManifest made_;
    ProjectFolder folder_;
    YamlSelectors selectors_;
    std::vector<std::string> warnings_;
};

TEST_F(SelectorTest, Methods) {
    const std::vector<std::pair<std::string, std::string>> kCases = {
        {"orders", "orders orders.totals"},
        {"shop.marts.orders", "orders"},
        {"marts", "blank dim.v1 dim.v2 orders wide"},
        {"marts.orders", "orders"},
        {"shop.mart", ""},
        {"stg_*", "stg_items stg_orders"},
        {"shop.*.orders", "orders"},
        {"dim", "dim.v1 dim.v2"},
        {"dim_v2", "dim.v2"},
        {"dim.v1", "dim.v1"},
        {"tag:nightly", "stg_items stg_orders"},
        {"tag:c*", "stg_orders"},
        {"group:sales", "orders"},
        {"access:public", "orders"},
        {"source:raw", "raw.items raw.orders"},
        {"source:raw.orders", "raw.orders"},
        {"source:shop.raw.it*", "raw.items"},
        {"source:a.b.c.d",
         "Invalid source selector value \"a.b.c.d\": sources are of the form source_name, source_name.table_name or "
         "package_name.source_name.table_name"},
        {"path:models/staging", "stg_items stg_orders"},
        {"models/marts/orders.sql", "orders"},
        {"path:models/staging/schema.yml", "stg_orders"},
        {"path:models/*/wide.sql", "wide"},
        {"path:elsewhere", ""},
        {"orders.sql", "orders"},
        {"file:wid?", "wide"},
        {"package:this,access:public", "orders"},
        {"config.materialized:table", "orders"},
        {"config.meta.owner:ann", "stg_orders"},
        {"config.tags:y", "stg_orders"},
        {"config.enabled:False", ""},
        {"config.severity:error", "relationships_orders singular unique_stg_orders"},
        {"test_name:uni*", "unique_stg_orders"},
        {"test_type:generic", "relationships_orders unique_stg_orders"},
        {"test_type:singular", "singular"},
        {"test_type:unit", "orders.totals"},
        {"test_type:odd",
         "Invalid test_type selector value \"odd\": expected \"generic\", \"singular\", \"unit\" or \"data\""},
        {"resource_type:exposure", "report"},
        {"resource_type:modle", "Invalid resource_type selector \"modle\"; did you mean model?"},
        {"exposure:report", "report"},
        {"unit_test:totals", "orders.totals"},
        {"version:latest", "dim.v1"},
        {"version:prerelease", "dim.v2"},
        {"version:none,marts", "blank orders wide"},
        {"tga:x", "'tga' is not a valid method name; did you mean tag?"},
    };
    for (const auto& [text, expected] : kCases) {
        EXPECT_EQ(select(text), expected) << text;
    }
}

TEST_F(SelectorTest, Operators) {
    const std::vector<std::pair<std::string, std::string>> kCases = {
        {"+orders", "orders orders.totals raw.items raw.orders stg_items stg_orders"},
        {"1+orders", "orders orders.totals stg_items stg_orders"},
        {"stg_orders+1", "orders stg_orders unique_stg_orders"},
        {"stg_orders+,resource_type:model", "orders stg_orders wide"},
        {"1+orders+1,resource_type:model", "orders stg_items stg_orders wide"},
        {"@stg_orders,resource_type:model", "orders stg_items stg_orders wide"},
        {"@stg_orders,resource_type:source", "raw.items raw.orders"},
        {"wide stg_items", "stg_items wide"},
        {"tag:nightly,tag:core", "stg_orders"},
        {"@orders+",
         "Invalid node spec @orders+ - \"@\" prefix and \"+\" suffix are incompatible; write one of the two"},
        {"99999999999+orders",
         "the depth of a selector is no number that fits: 99999999999+orders; write n+model or model+n"},
    };
    for (const auto& [text, expected] : kCases) EXPECT_EQ(select(text), expected) << text;
    EXPECT_EQ(select("marts", IndirectSelection::empty, {"version:none"}), "dim.v1 dim.v2");
}

TEST_F(SelectorTest, TestsComeAlong) {
    using enum IndirectSelection;
    const std::vector<std::tuple<std::string, IndirectSelection, std::string>> kCases = {
        {"orders", eager, "orders orders.totals relationships_orders"},
        {"orders", cautious, "orders orders.totals"},
        {"orders", buildable, "orders orders.totals relationships_orders"},
        {"orders", empty, "orders orders.totals"},
        {"stg_items", buildable, "stg_items"},
        // Two criteria bring the nodes of one test.
        {"orders stg_items", cautious, "orders orders.totals relationships_orders stg_items"},
    };
    for (const auto& [text, indirect, expected] : kCases) {
        EXPECT_EQ(select(text, indirect), expected) << text << " " << static_cast<int>(indirect);
    }
}

TEST_F(SelectorTest, CriteriaThatMatchNothingAreTold) {
    EXPECT_EQ(select("nothing wide"), "wide");
    EXPECT_EQ(warnings_,
              std::vector<std::string>{"The selection criterion 'nothing' does not match any enabled nodes"});
}

TEST_F(SelectorTest, SelectorsOfYaml) {
    EXPECT_EQ(select("selector:text"), "orders orders.totals relationships_orders stg_orders unique_stg_orders");
    EXPECT_EQ(select("selector:short"), "relationships_orders stg_items stg_orders unique_stg_orders");
    EXPECT_EQ(select("selector:full"), "stg_items");
    EXPECT_EQ(select("selector:ful"), "Could not find selector named ful; did you mean full?");
    EXPECT_EQ(selectors_.default_name(), "full");
    EXPECT_EQ(
        selectors_.json(),
        R"({"text": {"name": "text", "definition": {"method": "tag", "value": "core", "children": true, )"
        R"("children_depth": "1"}}, "short": {"name": "short", "definition": {"method": "tag", "value": "nightly"}}, )"
        R"("full": {"name": "full", "default": true, "definition": {"union": [{"method": "fqn", "value": "orders", )"
        R"("parents": true, "parents_depth": 1}, {"intersection": [{"method": "tag", "value": "nightly"}, )"
        R"({"method": "config.materialized", "value": "ephemeral"}]}, {"exclude": [{"method": "tag", "value": )"
        R"("core", "children": true, "children_depth": "1"}]}]}}})");
}

TEST(YamlSelectors, SayWhatIsWrongAndWhere) {
    const std::vector<std::pair<std::string, std::string>> kCases = {
        {"[{definition: a}]", "s.yml:1: a selector needs a name; add `name:`"},
        {"[{name: a}]", "s.yml:1: a selector needs a definition: a; add `definition:`"},
        {"[{name: a, definition: 'tga:x'}]", "s.yml:1: 'tga' is not a valid method name; did you mean tag?"},
        {"[{name: a, definition: {union: [], intersection: []}}]",
         "s.yml:1: only a single `union` or `intersection` may stand in a definition of a selector"},
        {"[{name: a, definition: {union: x}}]", "s.yml:1: `union` of a selector takes a list"},
        {"[{name: a, definition: {method: tag, parents: true}}]",
         "s.yml:1: a definition of a selector has one key, the method, or the keys `method` and `value`"},
        {"[{name: a, default: true, definition: x}, {name: b, default: true, definition: y}]",
         "s.yml:1: two selectors have `default: true`: a and b"},
        {"[{name: a, definition: {method: selector, value: b}}]",
         "s.yml:1: Existing selector definition for b not found; it must stand before this one"},
    };
    for (const auto& [text, expected] : kCases) {
        const auto tree = parse_yaml("selectors: " + text, "s.yml");
        ASSERT_TRUE(tree.ok()) << text;
        const auto read = YamlSelectors::read(tree.value(), "s.yml", IndirectSelection::eager);
        ASSERT_FALSE(read.ok()) << text;
        EXPECT_EQ(read.error().to_string(), expected);
    }
}

}  // namespace
}  // namespace shaduf::models
