#include <array>
#include <set>

#include "base/text.h"
#include "io/crypto.h"
#include "models/context/node_scope.h"
#include "models/context/read_notes.h"
#include "models/project/version.h"
#include "models/python/values.h"
#include "models/yaml/value.h"

// Names of the context that are the same for all nodes and touch nothing of the project.
namespace shaduf::models {
namespace {

using jinja::Arguments;
using jinja::Kind;
using jinja::Parameter;
using jinja::Value;
using jinja::Vm;

// The items of anything that can be iterated; nullopt: it cannot.
Result<std::optional<std::vector<Value>>> items_of(Vm& vm, const Value& value) {
    switch (value.kind()) {
        case Kind::list:
        case Kind::tuple: return std::optional(value.items());
        case Kind::dict: {
            std::vector<Value> keys;
            for (const auto& entry : value.dict().entries()) keys.push_back(entry.key);
            return std::optional(std::move(keys));
        }
        case Kind::object: {
            const auto iterator = TRY(value.object().iterate(vm));
            if (iterator == nullptr) return std::optional<std::vector<Value>>();
            std::vector<Value> items;
            while (auto item = TRY(iterator->next(vm))) items.push_back(std::move(*item));
            return std::optional(std::move(items));
        }
        default: return std::optional<std::vector<Value>>();
    }
}

Result<Value> make_return(const NodeScope&) {
    return jinja::make_function("return", [](Vm& vm, const Arguments& arguments) -> Result<Value> {
        const std::array<Parameter, 1> parameters = {{{"data"}}};
        return vm.return_value(TRY(jinja::bind_arguments("return", parameters, arguments))[0]);
    });
}

Result<Value> make_fromjson(const NodeScope&) {
    return jinja::make_function("fromjson", [](Vm&, const Arguments& arguments) -> Result<Value> {
        const std::array<Parameter, 2> parameters = {{{"string"}, {"default", Value::none()}}};
        const auto values = TRY(jinja::bind_arguments("fromjson", parameters, arguments));
        if (!values[0].is_string()) return values[1];
        auto parsed = jinja::from_json(values[0].string());
        return parsed.ok() ? parsed.release_value() : values[1];
    });
}

Result<Value> make_tojson(const NodeScope&) {
    return jinja::make_function("tojson", [](Vm& vm, const Arguments& arguments) -> Result<Value> {
        const std::array<Parameter, 3> parameters = {
            {{"value"}, {"default", Value::none()}, {"sort_keys", Value(false)}}};
        const auto values = TRY(jinja::bind_arguments("tojson", parameters, arguments));
        auto text = jinja::to_json(vm, values[0], {.sort_keys = values[2].truth()});
        return text.ok() ? Value(text.release_value()) : values[1];
    });
}

Result<Value> make_fromyaml(const NodeScope&) {
    return jinja::make_function("fromyaml", [](Vm&, const Arguments& arguments) -> Result<Value> {
        const std::array<Parameter, 2> parameters = {{{"value"}, {"default", Value::none()}}};
        const auto values = TRY(jinja::bind_arguments("fromyaml", parameters, arguments));
        auto parsed = value_of_yaml(values[0].text());
        return parsed.ok() ? parsed.release_value() : values[1];
    });
}

Result<Value> make_toyaml(const NodeScope&) {
    return jinja::make_function("toyaml", [](Vm&, const Arguments& arguments) -> Result<Value> {
        const std::array<Parameter, 3> parameters = {
            {{"value"}, {"default", Value::none()}, {"sort_keys", Value(false)}}};
        const auto values = TRY(jinja::bind_arguments("toyaml", parameters, arguments));
        auto text = yaml_of_value(values[0]);
        return text.ok() ? Value(text.release_value()) : values[1];
    });
}

Result<Value> distinct(Vm& vm, const Value& value) {
    auto items = TRY(items_of(vm, value));
    if (!items)
        return Error(ErrorKind::invalid_config, "'" + std::string(value.type_name()) + "' object is not iterable");
    auto set = jinja::make<jinja::Set>();
    for (Value& item : *items) {
        if (!item.hash()) {
            return Error(ErrorKind::invalid_config, "unhashable type: '" + std::string(item.type_name()) + "'");
        }
        set->members.set(std::move(item), Value::none());
    }
    return Value(set);
}

Result<Value> make_set(const NodeScope&) {
    return jinja::make_function("set", [](Vm& vm, const Arguments& arguments) -> Result<Value> {
        const std::array<Parameter, 2> parameters = {{{"value"}, {"default", Value::none()}}};
        const auto values = TRY(jinja::bind_arguments("set", parameters, arguments));
        auto made = distinct(vm, values[0]);
        return made.ok() ? made.release_value() : values[1];
    });
}

Result<Value> make_set_strict(const NodeScope&) {
    return jinja::make_function("set_strict", [](Vm& vm, const Arguments& arguments) -> Result<Value> {
        const std::array<Parameter, 1> parameters = {{{"value"}}};
        return distinct(vm, TRY(jinja::bind_arguments("set_strict", parameters, arguments))[0]);
    });
}

Result<Value> zipped(Vm& vm, std::span<const Value> lists) {
    std::vector<std::vector<Value>> columns;
    size_t rows = SIZE_MAX;
    for (const Value& list : lists) {
        auto items = TRY(items_of(vm, list));
        if (!items) {
            return Error(ErrorKind::invalid_config, "'" + std::string(list.type_name()) + "' object is not iterable");
        }
        rows = std::min(rows, items->size());
        columns.push_back(std::move(*items));
    }
    std::vector<Value> tuples;
    for (size_t row = 0; row < (columns.empty() ? 0 : rows); ++row) {
        std::vector<Value> tuple;
        for (auto& column : columns) tuple.push_back(column[row]);
        tuples.push_back(Value::tuple(std::move(tuple)));
    }
    return Value::list(std::move(tuples));
}

Result<Value> make_zip(const NodeScope&) {
    return jinja::make_function("zip", [](Vm& vm, const Arguments& arguments) -> Result<Value> {
        auto made = zipped(vm, arguments.positional);
        if (made.ok()) return made;
        const Value* fallback = arguments.find("default");
        return fallback == nullptr ? Value::none() : *fallback;
    });
}

Result<Value> make_zip_strict(const NodeScope&) {
    return jinja::make_function("zip_strict", [](Vm& vm, const Arguments& arguments) -> Result<Value> {
        return zipped(vm, arguments.positional);
    });
}

Result<Value> make_diff_of_two_dicts(const NodeScope&) {
    return jinja::make_function("diff_of_two_dicts", [](Vm&, const Arguments& arguments) -> Result<Value> {
        const std::array<Parameter, 2> parameters = {{{"dict_a"}, {"dict_b"}}};
        const auto values = TRY(jinja::bind_arguments("diff_of_two_dicts", parameters, arguments));
        if (values[0].kind() != Kind::dict || values[1].kind() != Kind::dict) {
            return Error(ErrorKind::invalid_config, "diff_of_two_dicts() takes two dicts of lists");
        }
        const auto lowered = [](const jinja::Dict& dict) {
            std::map<std::string, std::set<std::string>> entries;
            for (const auto& [key, list] : dict.entries()) {
                auto& texts = entries[to_lower(key.text())];
                if (list.kind() != Kind::list) continue;
                for (const Value& item : list.items()) texts.insert(to_lower(item.text()));
            }
            return entries;
        };
        const auto known = lowered(values[1].dict());
        auto diff = jinja::make<jinja::Dict>();
        for (const auto& [key, list] : values[0].dict().entries()) {
            const auto other = known.find(to_lower(key.text()));
            std::vector<Value> missing;
            if (list.kind() == Kind::list) {
                for (const Value& item : list.items()) {
                    if (other == known.end() || !other->second.contains(to_lower(item.text()))) missing.push_back(item);
                }
            }
            if (!missing.empty()) diff->set(key, Value::list(std::move(missing)));
        }
        return Value(diff);
    });
}

Result<Value> make_local_md5(const NodeScope&) {
    return jinja::make_function("local_md5", [](Vm&, const Arguments& arguments) -> Result<Value> {
        const std::array<Parameter, 1> parameters = {{{"value"}}};
        return Value(to_hex(md5(TRY(jinja::bind_arguments("local_md5", parameters, arguments))[0].text())));
    });
}

// With them comes the time of day.
Result<Value> make_modules(const NodeScope& scope) {
    if (ReadNotes* notes = scope.services().notes) notes->note_passing(scope.node());
    return modules_value();
}
Result<Value> make_dbt_version(const NodeScope&) { return Value(kDbtVersion); }

// try_or_compiler_error(message, function, *args, **kwargs)
Result<Value> make_try(const NodeScope&) {
    return jinja::make_function("try_or_compiler_error", [](Vm& vm, const Arguments& arguments) -> Result<Value> {
        if (arguments.positional.size() < 2) {
            return Error(ErrorKind::invalid_config, "try_or_compiler_error() takes a message and a function");
        }
        auto result = vm.call(arguments.positional[1], {arguments.positional.subspan(2), arguments.named});
        if (result.ok()) return result;
        return Error(ErrorKind::invalid_config, arguments.positional[0].text()).caused_by(result.error());
    });
}

}  // namespace

std::span<const ContextEntry> base_entries() {
    static constexpr std::array<ContextEntry, 14> kEntries = {{
        {"return", make_return},
        {"fromjson", make_fromjson},
        {"tojson", make_tojson},
        {"fromyaml", make_fromyaml},
        {"toyaml", make_toyaml},
        {"set", make_set},
        {"set_strict", make_set_strict},
        {"zip", make_zip},
        {"zip_strict", make_zip_strict},
        {"diff_of_two_dicts", make_diff_of_two_dicts},
        {"local_md5", make_local_md5},
        {"modules", make_modules},
        {"dbt_version", make_dbt_version},
        {"try_or_compiler_error", make_try},
    }};
    return kEntries;
}

}  // namespace shaduf::models
