#include "models/lineage/lineage_graph.h"

#include <gtest/gtest.h>

namespace shaduf::models {
namespace {

std::string shown(const std::vector<LineageGraph::Branch>& branches) {
    std::string text;
    for (const auto& branch : branches) {
        text += branch.step.column.relation + "." + branch.step.column.column;
        if (branch.step.is_condition) text += "?";
        if (branch.is_cut) text += "...";
        if (!branch.branches.empty()) text += "(" + shown(branch.branches) + ")";
        text += " ";
    }
    if (!text.empty()) text.pop_back();
    return text;
}

// raw.x -> a.x -> b.x, b.y -> c.z; c has its rows chosen by a.x.
class LineageGraphTest : public testing::Test {
protected:
    LineageGraphTest() {
        const auto from = [](std::string relation, std::string column) {
            return ColumnSource{{std::move(relation), std::move(column)}, LineageKind::copied};
        };
        lineage_["a"].columns = {{"x", {from("raw", "X")}, ""}};
        lineage_["b"].columns = {{"x", {from("a", "x")}, ""}, {"y", {from("a", "x")}, ""}};
        lineage_["c"].columns = {{"z", {from("b", "x"), from("b", "y")}, ""}};
        lineage_["c"].conditions = {{"a", "x"}};
    }
    std::string walk(const ColumnName& column, LineageGraph::Direction direction, std::optional<size_t> depth = {}) {
        return shown(LineageGraph(lineage_).walk(column, direction, depth));
    }
    ProjectLineage lineage_;
};

TEST_F(LineageGraphTest, GoesBothWaysAndUnfoldsOnce) {
    using enum LineageGraph::Direction;
    EXPECT_EQ(walk({"c", "z"}, upstream), "b.x(a.x(raw.X)) b.y(a.x...)");
    EXPECT_EQ(walk({"raw", "x"}, downstream), "a.x(b.x(c.z) b.y(c.z) c.?)");
    EXPECT_EQ(walk({"c", "Z"}, upstream, 1), "b.x... b.y...");
    EXPECT_EQ(walk({"c", "z"}, upstream, 0), "");
    EXPECT_EQ(walk({"a", "x"}, downstream, 2), "b.x(c.z) b.y(c.z) c.?");
    EXPECT_EQ(walk({"nobody", "x"}, downstream), "");
}

}  // namespace
}  // namespace shaduf::models
