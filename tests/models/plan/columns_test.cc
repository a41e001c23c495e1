#include "models/plan/columns.h"

#include <gtest/gtest.h>

#include "tests/models/made_manifest.h"

namespace shaduf::models {
namespace {

std::string shown(const std::vector<ColumnChange>& changes) {
    std::string text;
    for (const ColumnChange& change : changes) {
        using What = ColumnChange::What;
        text += change.what == What::added ? "+" : change.what == What::dropped ? "-" : "~";
        text += change.name + ":" + change.before + ">" + change.after + " ";
    }
    return text;
}

TEST(PlanColumnsTest, ComparesWithoutCase) {
    EXPECT_EQ(shown(compare_columns({{"a", "INT"}, {"b", ""}}, {{"A", "int"}, {"B", "TEXT"}})), "");
    EXPECT_EQ(shown(compare_columns({{"a", "INT"}, {"b", "TEXT"}}, {{"a", "BIGINT"}, {"c", "DATE"}})),
              "~a:INT>BIGINT -b:TEXT> +c:>DATE ");
}

PlannedNode dropping(const std::string& id, const std::string& column) {
    PlannedNode node;
    node.unique_id = id;
    node.columns = {{ColumnChange::What::dropped, column, "", ""}};
    return node;
}

TEST(PlanColumnsTest, FindsWhoReadsWhatIsDropped) {
    MadeManifest made;
    made.model("orders");
    made.model("by_name", {"orders"});
    made.model("somewhere", {"orders"});
    made.model("other", {"orders"});
    Node& test = made.test("not_null_orders_amount", "not_null", {"orders"});
    test.test->column_name = "amount";
    test.test->attached_node = "model.shop.orders";
    const Manifest& manifest = made.done();
    ProjectLineage lineage;
    lineage["model.shop.orders"];
    lineage["model.shop.by_name"].absent = {{"model.shop.orders", "Amount"}};
    lineage["model.shop.somewhere"].absent = {{"", "amount"}, {"", "nowhere"}};
    lineage["model.shop.other"].absent = {{"model.shop.orders", "typo"}};
    std::string text;
    for (const PlanBreak& found : find_breaks(manifest, lineage, {dropping("model.shop.orders", "AMOUNT")}))
        text += found.unique_id + " " + found.text + " <" + found.cause + ">\n";
    EXPECT_EQ(text,
              "model.shop.by_name reads orders.Amount, which is dropped <model.shop.orders>\n"
              "model.shop.other reads orders.typo, which is not there <>\n"
              "model.shop.somewhere reads orders.amount, which is dropped <model.shop.orders>\n"
              "model.shop.somewhere reads nowhere, which none of its tables has <>\n"
              "test.shop.not_null_orders_amount tests orders.amount, which is dropped <model.shop.orders>\n");
}

}  // namespace
}  // namespace shaduf::models
