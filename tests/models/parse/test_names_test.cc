#include "models/parse/test_names.h"

#include <gtest/gtest.h>

#include "models/yaml/value.h"

namespace shaduf::models {
namespace {

// The names and digits are those of dbt-core 1.11.
TEST(TestNames, AreThoseOfDbt) {
    struct Case {
        std::string_view kind, target, arguments, full, brief;
    };
    const Case cases[] = {
        {"not_null", "orders", "{column_name: order_id}", "not_null_orders_order_id", "not_null_orders_order_id"},
        {"relationships", "orders", "{column_name: customer_id, to: ref('customers'), field: customer_id}",
         "relationships_orders_customer_id__customer_id__ref_customers_",
         "relationships_orders_customer_id__customer_id__ref_customers_"},
        {"accepted_values", "orders",
         "{column_name: status, values: [placed, shipped, completed, return_pending, returned], model: x}",
         "accepted_values_orders_status__placed__shipped__completed__return_pending__returned",
         "accepted_values_orders_1ce6ab157c285f7cd2ac656013faf758"},
        {"dbt_utils_recency", "recency_time_excluded",
         "{datepart: day, field: created_at, ignore_time_component: true, interval: 1}",
         "dbt_utils_recency_recency_time_excluded_day__created_at__True__1",
         "dbt_utils_recency_recency_time_5b90020050d4edc3a92604741424915f"},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.full);
        const auto arguments = value_of_yaml(one.arguments);
        ASSERT_TRUE(arguments.ok());
        const TestName name = generic_test_name(std::string(one.kind), std::string(one.target), arguments.value());
        EXPECT_EQ(name.full, one.full);
        EXPECT_EQ(name.brief, one.brief);
    }
}

TEST(TestNames, DigitsComeOfNameAndArguments) {
    const auto arguments = value_of_yaml(
        "{column_name: status, values: [placed, shipped, completed, return_pending, returned],"
        " model: \"{{ get_where_subquery(ref('orders')) }}\"}");
    ASSERT_TRUE(arguments.ok());
    const std::string name = "accepted_values_orders_status__placed__shipped__completed__return_pending__returned";
    EXPECT_EQ(generic_test_hash(name, "accepted_values", std::nullopt, arguments.value()), "be6b5b5ec3");
    EXPECT_NE(generic_test_hash(name, "accepted_values", "shop", arguments.value()), "be6b5b5ec3");
}

}  // namespace
}  // namespace shaduf::models
