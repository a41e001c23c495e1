#include "models/configs/config_fields.h"

#include <algorithm>
#include <array>

namespace shaduf::models {
namespace {

using Rule = ConfigMergeRule;
using Shape = ConfigShape;

constexpr std::string_view kNames[] = {"model",  "seed",           "snapshot",    "source",   "data test", "unit test",
                                       "metric", "semantic model", "saved query", "exposure", "function",  "group",
                                       "node"};

constexpr std::array<ConfigField, 28> kNodeFields = {{
    {"enabled", Shape::boolean, "true"},
    {"alias", Shape::text_or_null},
    {"schema", Shape::text_or_null},
    {"database", Shape::text_or_null},
    {"tags", Shape::text_or_texts, "[]", Rule::append},
    {"meta", Shape::map, "{}", Rule::update},
    {"group", Shape::text_or_null},
    {"static_analysis", Shape::switch_},
    {"materialized", Shape::text, "view"},
    {"incremental_strategy", Shape::text_or_null},
    {"batch_size"},
    {"lookback", Shape::any, "1"},
    {"begin"},
    {"persist_docs", Shape::map, "{}"},
    {"post-hook", Shape::hooks, "[]", Rule::append},
    {"pre-hook", Shape::hooks, "[]", Rule::append},
    {"quoting", Shape::map, "{}", Rule::update},
    {"column_types", Shape::map, "{}", Rule::update},
    {"full_refresh", Shape::boolean_or_null},
    {"unique_key", Shape::key},
    {"on_schema_change", Shape::text_or_null, "ignore"},
    {"on_configuration_change", Shape::choice, "apply", Rule::clobber, "apply, continue, fail"},
    {"grants", Shape::map, "{}", Rule::grants},
    {"packages", Shape::texts, "[]", Rule::append},
    {"docs", Shape::object, "{show: true, node_color: ~}", Rule::update},
    {"contract", Shape::object, "{enforced: false, alias_types: true}", Rule::update},
    {"event_time"},
    {"concurrent_batches"},
}};

// The fields of every node with another materialization, and more behind them.
template <size_t Count>
constexpr auto with(std::string_view materialized, const std::array<ConfigField, Count>& more) {
    std::array<ConfigField, kNodeFields.size() + Count> all{};
    std::copy(kNodeFields.begin(), kNodeFields.end(), all.begin());
    std::copy(more.begin(), more.end(), all.begin() + kNodeFields.size());
    for (auto& field : all) {
        if (field.name == "materialized") field.default_yaml = materialized;
    }
    return all;
}

constexpr auto kModelFields = with<2>(
    "view", {{{"access", Shape::choice, "protected", Rule::clobber, "private, protected, public"}, {"freshness"}}});
constexpr auto kSeedFields =
    with<2>("seed", {{{"delimiter", Shape::text, "','"}, {"quote_columns", Shape::boolean_or_null}}});
constexpr auto kSnapshotFields =
    with<7>("snapshot", {{{"strategy", Shape::text_or_null},
                          {"target_schema", Shape::text_or_null},
                          {"target_database", Shape::text_or_null},
                          {"updated_at", Shape::text_or_null},
                          {"check_cols", Shape::key},
                          {"snapshot_meta_column_names", Shape::object,
                           "{dbt_valid_to: ~, dbt_valid_from: ~, dbt_scd_id: ~, dbt_updated_at: ~, dbt_is_deleted: ~}"},
                          {"dbt_valid_to_current", Shape::text_or_null}}});
constexpr auto kFunctionFields =
    with<4>("function", {{{"type", Shape::choice, "scalar", Rule::clobber, "scalar, aggregate, table"},
                          {"volatility"},
                          {"runtime_version", Shape::text_or_null},
                          {"entry_point", Shape::text_or_null}}});

constexpr std::array<ConfigField, 17> kDataTestFields = {{
    kNodeFields[0],
    kNodeFields[1],
    {"schema", Shape::text_or_null, "dbt_test__audit"},
    kNodeFields[3],
    kNodeFields[4],
    kNodeFields[5],
    kNodeFields[6],
    kNodeFields[7],
    {"materialized", Shape::choice, "test", Rule::clobber, "test"},
    {"severity", Shape::text, "ERROR"},
    {"store_failures", Shape::boolean_or_null},
    {"store_failures_as", Shape::text_or_null},
    {"where", Shape::text_or_null},
    {"limit", Shape::integer_or_null},
    {"fail_calc", Shape::text, "count(*)"},
    {"warn_if", Shape::text, "'!= 0'"},
    {"error_if", Shape::text, "'!= 0'"},
}};
constexpr std::array<ConfigField, 8> kSourceFields = {{
    {"enabled", Shape::boolean, "true"},
    {"event_time"},
    {"freshness", Shape::object, "{warn_after: {count: ~, period: ~}, error_after: {count: ~, period: ~}, filter: ~}"},
    {"loaded_at_field", Shape::text_or_null},
    {"loaded_at_query", Shape::text_or_null},
    {"meta", Shape::map, "{}", Rule::update},
    {"tags", Shape::texts, "[]"},
    {"static_analysis", Shape::switch_},
}};
constexpr std::array<ConfigField, 4> kUnitTestFields = {{
    {"tags", Shape::text_or_texts, "[]", Rule::append},
    {"meta", Shape::map, "{}", Rule::update},
    {"enabled", Shape::boolean, "true"},
    {"static_analysis", Shape::switch_},
}};
constexpr std::array<ConfigField, 3> kMetricFields = {{
    {"enabled", Shape::boolean, "true"},
    {"group", Shape::text_or_null},
    {"meta", Shape::map, "{}", Rule::update},
}};
constexpr std::array<ConfigField, 6> kSavedQueryFields = {{
    {"enabled", Shape::boolean, "true"},
    {"group", Shape::text_or_null},
    {"meta", Shape::map, "{}", Rule::update},
    {"export_as"},
    {"schema", Shape::text_or_null},
    {"cache", Shape::object, "{enabled: false}"},
}};
constexpr std::array<ConfigField, 3> kExposureFields = {{
    {"enabled", Shape::boolean, "true"},
    {"tags", Shape::texts, "[]"},
    {"meta", Shape::map, "{}"},
}};
constexpr std::array<ConfigField, 1> kGroupFields = {{{"meta", Shape::map, "{}", Rule::update}}};

}  // namespace

std::string_view to_string(ConfigResource resource) { return kNames[static_cast<size_t>(resource)]; }

std::span<const ConfigField> config_fields(ConfigResource resource) {
    switch (resource) {
        case ConfigResource::model: return kModelFields;
        case ConfigResource::seed: return kSeedFields;
        case ConfigResource::snapshot: return kSnapshotFields;
        case ConfigResource::source: return kSourceFields;
        case ConfigResource::data_test: return kDataTestFields;
        case ConfigResource::unit_test: return kUnitTestFields;
        case ConfigResource::metric:
        case ConfigResource::semantic_model: return kMetricFields;
        case ConfigResource::saved_query: return kSavedQueryFields;
        case ConfigResource::exposure: return kExposureFields;
        case ConfigResource::function: return kFunctionFields;
        case ConfigResource::group: return kGroupFields;
        case ConfigResource::other: return kNodeFields;
    }
    return kNodeFields;
}

const ConfigField* find_config_field(ConfigResource resource, std::string_view name) {
    const auto fields = config_fields(resource);
    const auto found =
        std::find_if(fields.begin(), fields.end(), [&](const auto& field) { return field.name == name; });
    return found == fields.end() ? nullptr : &*found;
}

}  // namespace shaduf::models
