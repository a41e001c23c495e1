#include <array>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "models/context/native.h"
#include "models/context/node_scope.h"
#include "models/context/response.h"
#include "models/seed_table.h"

// Names of the context by which materializations keep results and write what they ran.
namespace shaduf::models {
namespace {

using jinja::Arguments;
using jinja::Dict;
using jinja::Kind;
using jinja::Object;
using jinja::Parameter;
using jinja::Ref;
using jinja::Value;
using jinja::Vm;

// What load_result gives: response, data (rows as lists) and table.
Value stored_result(const Value& response, const Value& given) {
    Ref<Table> table;
    if (auto* known = given.object_as<Table>())
        table = Ref<Table>(known);
    else
        table = jinja::make<Table>();
    std::vector<Value> data;
    for (const Table::Row& row : table->rows()) data.push_back(Value::tuple(row));
    auto result = jinja::make<Dict>();
    result->set("response", response);
    result->set("data", Value::list(std::move(data)));
    result->set("table", Value(Ref<Object>(table.get())));
    return result;
}

void store(const NodeScope& scope, const std::string& name, Value result) {
    if (NodeRun* run = scope.run()) run->results[name] = std::move(result);
}

Result<Value> make_store_result(const NodeScope& scope) {
    return jinja::make_function("store_result", [&scope](Vm&, const Arguments& arguments) -> Result<Value> {
        const std::array<Parameter, 3> parameters = {{{"name"}, {"response"}, {"agate_table", Value::none()}}};
        const auto values = TRY(jinja::bind_arguments("store_result", parameters, arguments));
        store(scope, values[0].text(), stored_result(values[1], values[2]));
        return Value("");
    });
}

Result<Value> make_store_raw_result(const NodeScope& scope) {
    return jinja::make_function("store_raw_result", [&scope](Vm&, const Arguments& arguments) -> Result<Value> {
        const std::array<Parameter, 5> parameters = {{{"name"},
                                                      {"message", Value::none()},
                                                      {"code", Value::none()},
                                                      {"rows_affected", Value::none()},
                                                      {"agate_table", Value::none()}}};
        const auto values = TRY(jinja::bind_arguments("store_raw_result", parameters, arguments));
        std::optional<int64_t> rows;
        if (values[3].kind() == Kind::integer) rows = values[3].integer();
        if (values[3].is_string() && !values[3].string().empty()) rows = std::atoll(values[3].string().c_str());
        const auto text = [](const Value& value) { return value.is_none() ? std::string() : value.text(); };
        store(scope, values[0].text(),
              stored_result(response_value(text(values[1]), text(values[2]), rows), values[4]));
        return Value("");
    });
}

Result<Value> make_load_result(const NodeScope& scope) {
    return jinja::make_function("load_result", [&scope](Vm&, const Arguments& arguments) -> Result<Value> {
        const std::array<Parameter, 1> parameters = {{{"name"}}};
        const std::string name = TRY(jinja::bind_arguments("load_result", parameters, arguments))[0].text();
        if (scope.run() == nullptr) return Value::none();
        auto& results = scope.run()->results;
        const auto found = results.find(name);
        if (found == results.end()) return Value::none();
        // The result of the node itself may be asked for again; others are let go.
        if (name == "main") return found->second;
        Value result = std::move(found->second);
        results.erase(found);
        return result;
    });
}

// Writes what is run below target/run, where people look when it fails.
Result<Value> make_write(const NodeScope& scope) {
    return jinja::make_function("write", [&scope](Vm&, const Arguments& arguments) -> Result<Value> {
        const std::array<Parameter, 1> parameters = {{{"payload"}}};
        const auto values = TRY(jinja::bind_arguments("write", parameters, arguments));
        const Node* node = scope.node();
        if (node == nullptr || scope.run() == nullptr) return Value("");
        const auto file = std::filesystem::path(scope.services().target_path) / "run" /
                          written_path(*node, scope.run()->batch ? scope.run()->batch->name : "");
        scope.run()->build_path = file.string();
        const auto full = std::filesystem::path(scope.services().project_root) / file;
        std::error_code failure;
        std::filesystem::create_directories(full.parent_path(), failure);
        std::ofstream out(full, std::ios::binary);
        const std::string payload = values[0].text();
        scope.run()->built_code = payload;
        out.write(payload.data(), static_cast<std::streamsize>(payload.size()));
        if (!out.flush()) return Error(ErrorKind::exhausted, "cannot write what is run: " + full.string());
        return Value("");
    });
}

// A text as a template of this node's scope.
Result<Value> make_render(const NodeScope& scope) {
    return jinja::make_function("render", [&scope](Vm&, const Arguments& arguments) -> Result<Value> {
        const std::array<Parameter, 1> parameters = {{{"string"}}};
        const Value text = TRY(jinja::bind_arguments("render", parameters, arguments))[0];
        if (!text.is_string() || !jinja::has_tags(text.string())) return text;
        const std::string name = scope.node() == nullptr ? "render" : scope.node()->place.original_path;
        const auto code = TRY(jinja::Template::compile(text.string(), name, {}));
        Vm inner(vm_options(RenderMode::text));
        return Value(TRY(inner.render(*code, scope)));
    });
}

Result<Value> make_load_agate_table(const NodeScope& scope) {
    return jinja::make_function("load_agate_table", [&scope](Vm&, const Arguments&) -> Result<Value> {
        const Node* node = scope.node();
        if (node == nullptr || node->type != ResourceType::seed) {
            return scope.error("can only load_agate_table for seeds");
        }
        const auto file = std::filesystem::path(node->root_path) / node->place.original_path;
        SeedOptions options;
        const std::string delimiter = node->config.text("delimiter");
        if (!delimiter.empty()) options.delimiter = delimiter[0];
        const Value types = node->config.get("column_types");
        if (types.kind() == Kind::dict) {
            for (const auto& [name, type] : types.dict().entries()) options.text_columns.insert(name.text());
        }
        return Value(Ref<Object>(TRY(read_seed(file.string(), node->place.original_path, options)).get()));
    });
}

Result<Value> make_compiled(const NodeScope& scope) {
    if (scope.run() == nullptr || scope.node() == nullptr) return Value::none();
    return Value(scope.run()->compiled_code);
}

Result<Value> make_submit_python(const NodeScope& scope) {
    return jinja::make_function("submit_python_job", [&scope](Vm&, const Arguments&) -> Result<Value> {
        return scope.error("Python models cannot run here: there is no Python in this program; write the model in SQL");
    });
}

Result<Value> make_adapter_macro(const NodeScope& scope) {
    return jinja::make_function("adapter_macro", [&scope](Vm&, const Arguments&) -> Result<Value> {
        return scope.error("adapter_macro() is no more; use adapter.dispatch('macro', 'package')() instead");
    });
}

}  // namespace

std::span<const ContextEntry> result_entries() {
    static constexpr std::array<ContextEntry, 10> kEntries = {{
        {"store_result", make_store_result},
        {"store_raw_result", make_store_raw_result},
        {"load_result", make_load_result},
        {"write", make_write},
        {"render", make_render},
        {"load_agate_table", make_load_agate_table},
        {"compiled_code", make_compiled},
        {"sql", make_compiled},
        {"submit_python_job", make_submit_python},
        {"adapter_macro", make_adapter_macro},
    }};
    return kEntries;
}

}  // namespace shaduf::models
