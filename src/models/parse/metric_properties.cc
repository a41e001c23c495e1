#include "models/parse/metric_properties.h"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>

#include "base/text.h"
#include "models/yaml/value.h"

namespace shaduf::models {
namespace {

using jinja::Dict;
using jinja::Kind;
using jinja::Ref;
using jinja::Value;

Ref<Dict> with_keys(const YamlNode& node, std::initializer_list<std::string_view> keys) {
    auto dict = jinja::make<Dict>();
    for (const std::string_view key : keys) dict->set(Value(key), value_of_yaml(node[key]));
    return dict;
}

// A text or a list of them as {where_filters: [{where_sql_template: ...}]}
Value filter_value(const YamlNode& filter) {
    if (filter.is_null()) return Value::none();
    std::vector<Value> filters;
    const auto add = [&](const YamlNode& text) {
        auto one = jinja::make<Dict>();
        one->set("where_sql_template", value_of_yaml(text));
        filters.emplace_back(one);
    };
    if (filter.is_list()) {
        for (const YamlNode& item : filter.items()) add(item);
    } else {
        add(filter);
    }
    auto all = jinja::make<Dict>();
    all->set("where_filters", Value::list(std::move(filters)));
    return Value(all);
}

// "28 days" as {count: 28, granularity: day}
Value window_value(const YamlNode& window) {
    if (!window.is_text()) return value_of_yaml(window);
    const std::string text = to_lower(window.text());
    const size_t space = text.find(' ');
    if (space == std::string::npos) return Value(text);
    std::string granularity = text.substr(space + 1);
    if (granularity.ends_with('s')) granularity.pop_back();
    auto dict = jinja::make<Dict>();
    dict->set("count", Value(static_cast<int64_t>(std::atoll(text.c_str()))));
    dict->set("granularity", Value(granularity));
    return Value(dict);
}

Value measure_value(const YamlNode& measure) {
    if (measure.is_null()) return Value::none();
    auto dict = jinja::make<Dict>();
    dict->set("name", value_of_yaml(measure.is_map() ? measure["name"] : measure));
    dict->set("filter", filter_value(measure["filter"]));
    dict->set("alias", value_of_yaml(measure["alias"]));
    const YamlNode& joins = measure["join_to_timespine"];
    dict->set("join_to_timespine", Value(joins.is_boolean() && joins.boolean()));
    dict->set("fill_nulls_with", value_of_yaml(measure["fill_nulls_with"]));
    return Value(dict);
}

Value input_value(const YamlNode& metric) {
    if (metric.is_null()) return Value::none();
    auto dict = jinja::make<Dict>();
    dict->set("name", value_of_yaml(metric.is_map() ? metric["name"] : metric));
    dict->set("filter", filter_value(metric["filter"]));
    dict->set("alias", value_of_yaml(metric["alias"]));
    dict->set("offset_window", window_value(metric["offset_window"]));
    dict->set("offset_to_grain", value_of_yaml(metric["offset_to_grain"]));
    return Value(dict);
}

Value conversion_value(const YamlNode& conversion) {
    if (!conversion.is_map()) return Value::none();
    auto dict = jinja::make<Dict>();
    dict->set("base_measure", measure_value(conversion["base_measure"]));
    dict->set("conversion_measure", measure_value(conversion["conversion_measure"]));
    dict->set("entity", value_of_yaml(conversion["entity"]));
    dict->set("calculation", conversion["calculation"].is_null() ? Value("conversion_rate")
                                                                 : value_of_yaml(conversion["calculation"]));
    dict->set("window", window_value(conversion["window"]));
    dict->set("constant_properties", value_of_yaml(conversion["constant_properties"]));
    return Value(dict);
}

Value cumulative_value(const YamlNode& params) {
    const YamlNode& own = params["cumulative_type_params"];
    auto dict = jinja::make<Dict>();
    dict->set("window", window_value(own["window"].is_null() ? params["window"] : own["window"]));
    dict->set("grain_to_date",
              value_of_yaml(own["grain_to_date"].is_null() ? params["grain_to_date"] : own["grain_to_date"]));
    dict->set("period_agg", own["period_agg"].is_null() ? Value("first") : value_of_yaml(own["period_agg"]));
    return Value(dict);
}

Value expression(const YamlNode& node) {
    return node.is_null() || node.is_text() ? value_of_yaml(node) : Value(value_of_yaml(node).text());
}

Value type_params_value(const YamlNode& entry) {
    const YamlNode& params = entry["type_params"];
    auto dict = jinja::make<Dict>();
    dict->set("measure", measure_value(params["measure"]));
    dict->set("input_measures", Value::list({}));
    dict->set("numerator", input_value(params["numerator"]));
    dict->set("denominator", input_value(params["denominator"]));
    dict->set("expr", expression(params["expr"]));
    dict->set("window", window_value(params["window"]));
    dict->set("grain_to_date", value_of_yaml(params["grain_to_date"]));
    std::vector<Value> metrics;
    for (const YamlNode& metric : params["metrics"].items()) metrics.push_back(input_value(metric));
    dict->set("metrics", Value::list(std::move(metrics)));
    dict->set("conversion_type_params", conversion_value(params["conversion_type_params"]));
    const bool is_cumulative = to_lower(entry["type"].text()) == "cumulative";
    dict->set("cumulative_type_params", is_cumulative ? cumulative_value(params) : Value::none());
    dict->set("metric_aggregation_params", Value::none());
    return Value(dict);
}

Value element_config(const YamlNode& element) {
    auto config = jinja::make<Dict>();
    const YamlNode& meta = element["config"]["meta"];
    config->set("meta", meta.is_map() ? value_of_yaml(meta) : Value(jinja::make<Dict>()));
    return Value(config);
}

Value elements(const YamlNode& list, std::initializer_list<std::string_view> keys) {
    std::vector<Value> all;
    for (const YamlNode& element : list.items()) {
        auto dict = with_keys(element, keys);
        if (dict->find("expr") != nullptr) dict->set("expr", expression(element["expr"]));
        if (dict->find("is_partition") != nullptr && element["is_partition"].is_null()) {
            dict->set("is_partition", Value(false));
        }
        dict->set("config", element_config(element));
        all.emplace_back(dict);
    }
    return Value::list(std::move(all));
}

void add_name(const Value* input, std::vector<std::string>& names) {
    if (input == nullptr || input->kind() != Kind::dict) return;
    if (const Value* name = input->dict().find("name"); name != nullptr && name->is_string()) {
        names.push_back(name->string());
    }
}

const Dict* params_of(const Declaration& declaration, std::string_view key) {
    if (declaration.properties.kind() != Kind::dict) return nullptr;
    const Value* params = declaration.properties.dict().find(key);
    return params == nullptr || params->kind() != Kind::dict ? nullptr : &params->dict();
}

}  // namespace

Ref<Dict> metric_properties(const YamlNode& entry) {
    auto all = with_keys(entry, {"label", "type"});
    all->set("type", Value(to_lower(entry["type"].text())));
    all->set("type_params", type_params_value(entry));
    all->set("filter", filter_value(entry["filter"]));
    all->set("metadata", Value::none());
    all->set("time_granularity", value_of_yaml(entry["time_granularity"]));
    return all;
}

Ref<Dict> semantic_model_properties(const YamlNode& entry) {
    auto all = with_keys(entry, {"model", "label", "primary_entity"});
    all->set("defaults",
             entry["defaults"].is_map() ? Value(with_keys(entry["defaults"], {"agg_time_dimension"})) : Value::none());
    all->set("entities", elements(entry["entities"], {"name", "type", "description", "label", "role", "expr"}));
    all->set("measures", elements(entry["measures"], {"name", "agg", "description", "label", "create_metric", "expr",
                                                      "agg_params", "non_additive_dimension", "agg_time_dimension"}));
    all->set("dimensions", elements(entry["dimensions"], {"name", "type", "description", "label", "is_partition",
                                                          "type_params", "expr", "metadata"}));
    return all;
}

Ref<Dict> saved_query_properties(const YamlNode& entry) {
    auto all = with_keys(entry, {"label"});
    const YamlNode& params = entry["query_params"];
    auto query = jinja::make<Dict>();
    const auto list = [](const YamlNode& node) { return node.is_list() ? value_of_yaml(node) : Value::list({}); };
    query->set("metrics", list(params["metrics"]));
    query->set("group_by", list(params["group_by"]));
    query->set("where", filter_value(params["where"]));
    query->set("order_by", list(params["order_by"]));
    query->set("limit", value_of_yaml(params["limit"]));
    all->set("query_params", Value(query));
    std::vector<Value> exports;
    for (const YamlNode& one : entry["exports"].items()) {
        auto made = with_keys(one, {"name", "config"});
        made->set("unrendered_config", value_of_yaml(one["config"]));
        exports.emplace_back(made);
    }
    all->set("exports", Value::list(std::move(exports)));
    return all;
}

std::vector<std::string> input_measures(const Declaration& declaration) {
    std::vector<std::string> names;
    const Dict* params = params_of(declaration, "type_params");
    if (params == nullptr) return names;
    add_name(params->find("measure"), names);
    const Value* conversion = params->find("conversion_type_params");
    if (conversion != nullptr && conversion->kind() == Kind::dict) {
        add_name(conversion->dict().find("base_measure"), names);
        add_name(conversion->dict().find("conversion_measure"), names);
    }
    return names;
}

std::vector<std::string> input_metrics(const Declaration& declaration) {
    std::vector<std::string> names;
    if (const Dict* params = params_of(declaration, "type_params")) {
        add_name(params->find("numerator"), names);
        add_name(params->find("denominator"), names);
        for (const Value& metric : params->find("metrics")->items()) add_name(&metric, names);
    }
    if (const Dict* query = params_of(declaration, "query_params")) {
        for (const Value& metric : query->find("metrics")->items()) names.push_back(metric.text());
    }
    return names;
}

}  // namespace shaduf::models
