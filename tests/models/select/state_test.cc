#include <gtest/gtest.h>

#include "models/artifacts/manifest_json.h"
#include "models/select/members.h"
#include "models/select/previous_state.h"
#include "tests/models/made_manifest.h"

namespace shaduf::models {
namespace {

// Every change, made to a model after its manifest was written, and the words of state: that then hold of it.
class StateTest : public testing::Test {
protected:
    static void make(MadeManifest& made) {
        Node& model = made.model("orders", {}, "{materialized: table, persist_docs: {relation: true}}");
        model.description = "Orders";
        model.unrendered_config = {{"materialized", jinja::Value("{{ var('kind') }}")}, {"schema", "x"}};
        made.test("unique_orders", "unique", {"orders"});
        made.source("raw", "orders");
    }
    // The words that hold, in the order of StateComparison::words, of all members but those that are as they were.
    std::string holds(MadeManifest& now) {
        MadeManifest before;
        make(before);
        BareServices bare(before.done());
        EXPECT_TRUE(write_manifest(*bare.services, {}, "").ok());
        const auto state = PreviousState::load(*bare.services, "target");
        EXPECT_TRUE(state.ok());
        const StateComparison comparison(now.done(), state.value());
        std::string all;
        const Members members(now.manifest);
        for (const Member& member : members.all()) {
            for (const std::string& word : StateComparison::words()) {
                if (word == "old" || word == "unmodified" || !comparison.is(word, member).value()) continue;
                all += std::string(member.name) + ":" + word + " ";
            }
        }
        return all;
    }
};

TEST_F(StateTest, SaysWhatChanged) {
    using Change = std::function<void(Node&)>;
    const std::vector<std::pair<Change, std::string>> kCases = {
        {[](Node&) {}, ""},
        {[](Node& node) { node.raw_code = "select 2"; }, "orders:modified orders:modified.body "},
        {[](Node& node) { node.unrendered_config[0].second = jinja::Value("view"); },
         "orders:modified orders:modified.configs "},
        // Rendered otherwise, but written as before.
        {[](Node& node) { node.config = NodeConfig(node.type, jinja::make<jinja::Dict>()); }, ""},
        {[](Node& node) { node.unrendered_config[1].second = jinja::Value("y"); },
         "orders:modified orders:modified.relation "},
        {[](Node& node) { node.description = "All"; }, "orders:modified orders:modified.persisted_descriptions "},
        {[](Node& node) { node.tags = {"new"}; }, ""},
        {[](Node& node) { node.access = "public"; }, "orders:modified "},
        {[](Node& node) {
             const jinja::Value contract = value_of_yaml("{contract: {enforced: true}}").value();
             node.config = NodeConfig(node.type, jinja::Ref<jinja::Dict>(&contract.dict()));
         },
         "orders:modified orders:modified.contract "},
        {[](Node& node) { node.fqn.insert(node.fqn.begin() + 1, "folder"); }, "orders:modified "},
    };
    for (size_t i = 0; i < kCases.size(); ++i) {
        MadeManifest now;
        make(now);
        kCases[i].first(*now.manifest.nodes.front());
        EXPECT_EQ(holds(now), kCases[i].second) << i;
    }
}

TEST_F(StateTest, WhatIsNewIsModified) {
    MadeManifest now;
    make(now);
    now.model("fresh");
    EXPECT_EQ(holds(now),
              "fresh:new fresh:modified fresh:modified.body fresh:modified.configs "
              "fresh:modified.persisted_descriptions fresh:modified.relation fresh:modified.contract ");
}

TEST_F(StateTest, WhatIsNoArtifactIsAnError) {
    MadeManifest made;
    BareServices bare(made.done());
    bare.folder.write("target/manifest.json", "[]");
    const auto state = PreviousState::load(*bare.services, "target");
    ASSERT_FALSE(state.ok());
    EXPECT_EQ(bare.folder.plain(state.error().to_string()),
              "ROOT/target/manifest.json: not an artifact of dbt's: it is no JSON object");
    const auto none = PreviousState::load(*bare.services, "elsewhere");
    ASSERT_TRUE(none.ok());
    EXPECT_FALSE(none.value().has_manifest());
}

}  // namespace
}  // namespace shaduf::models
