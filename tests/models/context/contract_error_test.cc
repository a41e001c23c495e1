#include "models/context/contract_error.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace shaduf::models {
namespace {

using Columns = std::vector<std::pair<std::string, std::string>>;

jinja::Value list_of(const Columns& columns) {
    std::vector<jinja::Value> values;
    for (const auto& [name, type] : columns) {
        auto column = jinja::make<jinja::Dict>();
        column->set("name", name);
        column->set("data_type", type);
        values.emplace_back(column);
    }
    return jinja::Value::list(std::move(values));
}

std::string table_of(const Columns& declared, const Columns& given) {
    const std::string text = contract_error_text(list_of(declared), list_of(given));
    return text.substr(text.find("\n\n") + 2);
}

TEST(ContractErrorTest, ShowsEachColumnThatIsNotAlike) {
    const Columns declared = {{"id", "INTEGER"}, {"name", "TEXT"}, {"same", "DATE"}, {"na\xC3\xAFve", "TEXT"}};
    const Columns given = {{"id", "TEXT"}, {"b", std::string(60, 'X')}, {"B2", "DATE"}, {"same", "DATE"}};
    EXPECT_EQ(
        table_of(declared, given),
        "| column_name | definition_type                                    | contract_type | mismatch_reason       |\n"
        "| ----------- | -------------------------------------------------- | ------------- | --------------------- |\n"
        "| B2          | DATE                                               |               | missing in contract   |\n"
        "| b           | XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX... |               | missing in contract   |\n"
        "| id          | TEXT                                               | INTEGER       | data type mismatch    |\n"
        "| name        |                                                    | TEXT          | missing in definition |\n"
        "| na\xC3\xAFve       |                                                    | TEXT          | missing in "
        "definition |\n");
    // The case of a name bears on it; a column that is given twice is none more.
    EXPECT_EQ(table_of({{"id", "INTEGER"}}, {{"ID", "INTEGER"}}),
              "| column_name | definition_type | contract_type | mismatch_reason       |\n"
              "| ----------- | --------------- | ------------- | --------------------- |\n"
              "| ID          | INTEGER         |               | missing in contract   |\n"
              "| id          |                 | INTEGER       | missing in definition |\n");
    EXPECT_EQ(table_of({{"id", "INTEGER"}}, {{"id", "INTEGER"}, {"id", "INTEGER"}}),
              "| column_name | definition_type | contract_type | mismatch_reason |\n"
              "| ----------- | --------------- | ------------- | --------------- |\n");
}

TEST(ContractErrorTest, SaysThatNothingIsDeclared) {
    EXPECT_EQ(contract_error_text(list_of({}), list_of({})).find("no columns are declared") != std::string::npos, true);
    EXPECT_EQ(contract_error_text(jinja::Value("odd"), jinja::Value::none()),
              contract_error_text(list_of({}), list_of({})));
}

}  // namespace
}  // namespace shaduf::models
