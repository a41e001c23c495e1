#include "models/adapter/index_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "models/adapter/table.h"

namespace shaduf::models {
namespace {

using jinja::Dict;
using jinja::Value;

struct Wanted {
    std::vector<Value> columns;
    Value unique = Value::none();
    Value type = Value::none();
};

Value described(std::vector<Table::Row> rows) {
    auto dict = jinja::make<Dict>();
    std::vector<std::string> names = {"name", "method", "unique", "column_names"};
    dict->set("indexes", jinja::Ref<jinja::Object>(new Table(std::move(names), std::move(rows))));
    return Value(dict);
}

Value model_with(const Value& indexes) {
    auto config = jinja::make<Dict>();
    config->set("indexes", indexes);
    auto model = jinja::make<Dict>();
    model->set("config", config);
    return Value(model);
}

Value model_of(const std::vector<Wanted>& wanted) {
    std::vector<Value> indexes;
    for (const Wanted& each : wanted) {
        auto index = jinja::make<Dict>();
        index->set("columns", Value::list(each.columns));
        if (!each.unique.is_none()) index->set("unique", each.unique);
        if (!each.type.is_none()) index->set("type", each.type);
        indexes.emplace_back(index);
    }
    return model_with(Value::list(std::move(indexes)));
}

// "drop name" and "create column,column method unique", in turn; "" for none.
std::string changes(const Value& present, const Value& model) {
    const auto found = index_changes(present, model);
    if (!found.ok()) return found.error().message();
    if (found.value().is_none()) return "";
    std::string text;
    for (const Value& change : found.value().dict().find("indexes")->items()) {
        const Dict& context = change.dict().find("context")->dict();
        const std::string action = change.dict().find("action")->text();
        text += (text.empty() ? "" : "; ") + action;
        if (action == "drop") {
            text += " " + context.find("name")->text();
            continue;
        }
        const Dict& config = context.find("as_node_config")->dict();
        for (const char* key : {"columns", "type", "unique"}) text += " " + config.find(key)->repr();
    }
    return text;
}

TEST(IndexChangesTest, TellsIndexesApart) {
    const std::vector<Table::Row> present = {{"a1", "btree", true, "id"}, {"b2", "hash", false, "word"}};
    const struct {
        std::vector<Wanted> wanted;
        std::string changes;
    } cases[] = {
        {{{{"id"}, true}, {{"word"}, Value::none(), "hash"}}, ""},
        {{{{"word"}, false, "hash"}, {{"ID"}, true, "btree"}, {{"id"}, true}}, ""},
        {{{{"id"}, true}}, "drop b2"},
        {{}, "drop a1; drop b2"},
        {{{{"id"}, true}, {{"word"}}}, "drop b2; create ['word'] 'btree' False"},
        {{{{"id"}}, {{"word"}, false, "hash"}}, "drop a1; create ['id'] 'btree' False"},
        {{{{"id"}, true}, {{"word"}, false, "hash"}, {{"Word", "id"}}}, "create ['word', 'id'] 'btree' False"},
    };
    for (const auto& test : cases) EXPECT_EQ(changes(described(present), model_of(test.wanted)), test.changes);
    // The order of an index's columns is not compared.
    const Value two = described({{"c3", "btree", false, "id,word"}});
    EXPECT_EQ(changes(two, model_of({{{"word", "id"}}})), "");
}

TEST(IndexChangesTest, TakesWhatIsNotThereForNoIndexes) {
    EXPECT_EQ(changes(Value(jinja::make<Dict>()), model_of({})), "");
    EXPECT_EQ(changes(described({}), Value(jinja::make<Dict>())), "");
    EXPECT_EQ(changes(described({}), model_with(Value::none())), "");
}

TEST(IndexChangesTest, RefusesWhatIsNoIndex) {
    EXPECT_THAT(changes(described({}), model_with(Value("id"))), testing::HasSubstr("must be a list, found: 'id'"));
    EXPECT_THAT(changes(described({}), model_of({{{}}})), testing::HasSubstr("one column at least"));
    EXPECT_THAT(changes(described({}), model_with(Value::list({Value("id")}))), testing::HasSubstr("found: 'id'"));
}

}  // namespace
}  // namespace shaduf::models
