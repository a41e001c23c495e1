#include "models/plan/effects.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/models/made_manifest.h"

namespace shaduf::models {
namespace {

using What = ColumnChange::What;

struct Case {
    std::string config;
    EffectInputs inputs;
    std::vector<What> columns;
    std::string expected;
    ChangeKind kind = ChangeKind::changed;
};

TEST(EffectsTest, FollowFromMaterializationAndDatabase) {
    const EffectInputs there = {false, true, false}, absent = {false, false, false}, view = {false, true, true};
    const EffectInputs unasked = {}, full = {true, true, false};
    const std::vector<Case> kCases = {
        {"{materialized: view}", view, {}, "view"},
        {"{materialized: view}", there, {}, "view: a table is there: it becomes a view, and its rows go"},
        {"{materialized: ephemeral}", unasked, {}, "nothing"},
        {"{materialized: table}", there, {}, "rebuilt"},
        {"{materialized: table}", view, {}, "rebuilt: a view is there: it becomes a table"},
        {"{materialized: table}", absent, {}, "created"},
        {"{materialized: table}", unasked, {}, "created", ChangeKind::added},
        {"{materialized: table}", unasked, {}, "rebuilt"},
        {"{materialized: snapshot}", there, {}, "versions"},
        {"{materialized: strange}", there, {}, "custom"},
        {"{materialized: incremental}", full, {}, "rebuilt"},
        {"{materialized: incremental, full_refresh: true}", there, {}, "rebuilt"},
        {"{materialized: incremental, full_refresh: false}",
         full,
         {},
         "extended: rows that are there stay as they are; --full-refresh makes them anew; full_refresh: false, "
         "whatever "
         "the flag says"},
        {"{materialized: incremental, on_schema_change: fail}",
         there,
         {What::added},
         "extended: rows that are there stay as they are; --full-refresh makes them anew; on_schema_change: fail: the "
         "run fails, since the columns differ"},
        {"{materialized: incremental, on_schema_change: append_new_columns}",
         there,
         {What::added, What::dropped},
         "extended: rows that are there stay as they are; --full-refresh makes them anew; on_schema_change: "
         "append_new_columns: what is new is added, nothing is dropped"},
    };
    for (const Case& one : kCases) {
        MadeManifest made;
        PlannedNode planned;
        planned.node = &made.model("orders", {}, one.config);
        planned.kind = one.kind;
        planned.reasons = {{ChangeReason::What::own_sql}};
        for (const What what : one.columns) planned.columns.push_back({what, "c", "", ""});
        add_effect(one.inputs, planned);
        std::string found(to_string(planned.effect));
        if (!planned.notes.empty()) found += ": " + join(planned.notes, "; ");
        EXPECT_EQ(found, one.expected) << one.config;
    }
}

}  // namespace
}  // namespace shaduf::models
