#include "models/yaml/json_tree.h"

#include <nlohmann/json.hpp>

namespace shaduf::models {
namespace {

void add_json(const nlohmann::ordered_json& value, YamlBuilder& builder) {
    if (value.is_object()) {
        builder.begin_map();
        for (const auto& [key, member] : value.items()) {
            builder.key(key);
            add_json(member, builder);
        }
        return builder.end_map();
    }
    if (value.is_array()) {
        builder.begin_list();
        for (const auto& item : value) add_json(item, builder);
        return builder.end_list();
    }
    if (value.is_string()) return builder.add_text(value.get_ref<const std::string&>());
    if (value.is_boolean()) return builder.add_boolean(value.get<bool>());
    if (value.is_number_integer()) return builder.add_integer(value.get<int64_t>());
    if (value.is_number()) return builder.add_real(value.get<double>());
    builder.add_null();
}

}  // namespace

Result<YamlTree> parse_json(std::string_view text) {
    const auto json = nlohmann::ordered_json::parse(text, nullptr, false);
    if (json.is_discarded()) return Error(ErrorKind::bad_data, "not valid JSON: " + std::string(text.substr(0, 80)));
    YamlBuilder builder;
    add_json(json, builder);
    return builder.finish();
}

}  // namespace shaduf::models
