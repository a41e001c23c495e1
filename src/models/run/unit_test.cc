#include "models/run/unit_test.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/run_context.h"
#include "base/text.h"
#include "models/context/native.h"
#include "models/parse/static_reference.h"

namespace shaduf::models {
namespace {

using jinja::Arguments;
using jinja::Dict;
using jinja::Kind;
using jinja::Object;
using jinja::Ref;
using jinja::Value;
using jinja::Vm;

const Value* overrides_of(const UnitTest& test, std::string_view kind) {
    if (test.overrides.kind() != Kind::dict) return nullptr;
    const Value* all = test.overrides.dict().find(kind);
    return all != nullptr && all->kind() == Kind::dict ? all : nullptr;
}

Value function_giving(const std::string& name, const Value& value) {
    return jinja::make_function(name, [value](Vm&, const Arguments&) -> Result<Value> { return value; });
}

// A package of macros, some of which are overridden.
class OverriddenPackage final : public Object {
public:
    OverriddenPackage(Value base, std::string name, Value value)
        : base_(std::move(base)), name_(std::move(name)), value_(std::move(value)) {}
    std::string_view type_name() const override { return "dict"; }
    Shape shape() const override { return Shape::mapping; }
    Result<std::optional<Value>> attribute(Vm& vm, std::string_view name) const override {
        if (name == name_) return std::optional(value_);
        return base_.object().attribute(vm, name);
    }
    Result<std::optional<Value>> item(Vm& vm, const Value& key) const override {
        if (key.is_string() && key.string() == name_) return std::optional(value_);
        return base_.object().item(vm, key);
    }
    Result<std::optional<Value>> call_method(Vm& vm, std::string_view name, const Arguments& arguments) const override {
        if (name == name_) return std::optional(TRY(value_.object().call(vm, arguments)));
        return base_.object().call_method(vm, name, arguments);
    }

private:
    const Value base_;
    const std::string name_;
    const Value value_;
};

// A node of the test's place that stands below it in target/compiled.
Node input_node(const UnitTest& test, const std::string& name) {
    Node node;
    node.type = ResourceType::model;
    node.name = name;
    node.place = {name + ".sql", test.place.original_path, test.place.line};
    auto settings = jinja::make<Dict>();
    settings->set("materialized", "ephemeral");
    node.config = NodeConfig(ResourceType::model, settings);
    return node;
}

NodeConfig unit_config(const UnitTest& test) {
    auto settings = jinja::make<Dict>();
    settings->set("materialized", "unit");
    const bool is_sql = test.expect.format == "sql";
    settings->set("expected_rows", is_sql ? Value::list({}) : test.expect.rows);
    settings->set("expected_sql", is_sql ? test.expect.rows : Value::none());
    return {ResourceType::unit_test, settings};
}

std::shared_ptr<const Node> node_for(const UnitTest& test, const Node& model) {
    auto node = std::make_shared<Node>();
    node->type = ResourceType::unit_test;
    node->unique_id = test.unique_id;
    node->package = test.package;
    node->name = test.name + (test.version ? "_v" + *test.version : "");
    node->alias = node->name;
    node->database = model.database;
    node->schema = model.schema;
    for (const std::string_view part : split(test.unique_id, '.')) node->fqn.emplace_back(part);
    const auto folder = std::filesystem::path(test.place.original_path).parent_path();
    node->place = {(folder / (node->name + ".sql")).string(), test.place.original_path, test.place.line};
    node->config = unit_config(test);
    node->group = model.group;
    node->raw_code = model.raw_code;
    node->code = model.code;
    node->depends_on_nodes = model.depends_on_nodes;
    node->depends_on_macros = model.depends_on_macros;
    node->unit_test = &test;
    return node;
}

}  // namespace

void make_unit_test_nodes(Manifest& manifest) {
    for (const auto& test : manifest.unit_tests) {
        const Node* model = test->depends_on_nodes.empty() ? nullptr : manifest.node(test->depends_on_nodes.front());
        if (model != nullptr) test->as_node = node_for(*test, *model);
    }
}

UnitTestCompiler::UnitTestCompiler(const ContextServices& services, const Node& node)
    : services_(services), node_(node), test_(*node.unit_test) {}

UnitTestCompiler::Input& UnitTestCompiler::input_for(const Node& target, const UnitTestRows& rows) {
    Input input{.rows = &rows, .node = input_node(test_, target.name)};
    input.node.package = target.package;
    input.node.database = target.database;
    input.node.schema = target.schema;
    input.node.alias = target.alias;
    input.node.fqn = target.fqn;
    input.node.version = target.version;
    input.node.unique_id = "model." + target.package + "." + target.name;
    return inputs_.insert_or_assign(target.unique_id, std::move(input)).first->second;
}

Result<void> UnitTestCompiler::add_input(const UnitTestRows& rows) {
    if (trim(rows.input) == "this") {
        input_for(*model_, rows);
        return {};
    }
    const auto unknown = [&](std::string_view what) {
        return Error(ErrorKind::invalid_config, "unit test '" + test_.name + "': " + std::string(what) + ": " +
                                                    rows.input +
                                                    "; an input is ref('model'), source('source', 'table') "
                                                    "or this")
            .at(Place::in_file(test_.place.original_path, static_cast<int>(test_.place.line)));
    };
    const auto reference = read_reference(rows.input);
    if (!reference || (!reference->ref && !reference->source)) return unknown("not an input");
    if (reference->ref) {
        const Node* target = services_.manifest.find_ref(*reference->ref, test_.package);
        if (target == nullptr) return unknown("an input that is not there");
        input_for(*target, rows);
        return {};
    }
    const SourceTable* source = services_.manifest.find_source(*reference->source, test_.package);
    if (source == nullptr) return unknown("an input that is not there");
    Node table;
    table.unique_id = source->unique_id;
    table.package = source->package;
    table.name = source->name;
    table.database = source->database;
    table.schema = source->schema;
    table.alias = source->identifier;
    table.fqn = source->fqn;
    // Tables of one name in two sources are told apart.
    input_for(table, rows).node.unique_id =
        "model." + source->package + "." + source->source_name + "__" + source->name;
    return {};
}

Result<void> UnitTestCompiler::read_inputs() {
    model_ = services_.manifest.node(test_.depends_on_nodes.front());
    SHADUF_ASSERT(model_ != nullptr);
    for (const UnitTestRows& rows : test_.given) TRY(add_input(rows));
    return {};
}

namespace {

// The CTE that stands for an input: by the name of the relation, of a source by both of its names.
std::string cte_name(const std::string& original_id, const Node& input) {
    const bool is_source = original_id.starts_with("source.");
    const std::string name = is_source ? input.unique_id.substr(input.unique_id.rfind('.') + 1) : input.alias;
    return std::string(kEphemeralPrefix) + name;
}

}  // namespace

Result<Value> UnitTestCompiler::use(const std::string& original_id, const std::string& spelled) {
    const auto input = inputs_.find(original_id);
    if (input == inputs_.end()) {
        return Error(ErrorKind::invalid_config, "unit test '" + test_.name + "' gives no rows for " + spelled +
                                                    ", which the model reads; add it to `given`: {input: " + spelled +
                                                    ", rows: []}");
    }
    if (std::find(used_.begin(), used_.end(), original_id) == used_.end()) used_.push_back(original_id);
    Relation::Parts parts;
    parts.path.identifier = cte_name(original_id, input->second.node);
    parts.type = RelationType::cte;
    parts.quoted.identifier = false;
    return Value(Ref<Object>(TRY(Relation::create(services_.adapter.relation_style(), std::move(parts))).get()));
}

// By the name alone, or of one package; of dbt's own also by the name alone.
void UnitTestCompiler::override_macro(NodeScope& scope, const std::string& name, const Value& value) const {
    const size_t dot = name.find('.');
    const std::string package = dot == std::string::npos ? "" : name.substr(0, dot);
    const std::string macro = dot == std::string::npos ? name : name.substr(dot + 1);
    const bool is_macro = scope.find_macro(package, macro) != nullptr;
    const Value replaced = is_macro ? function_giving(macro, value) : value;
    if (package.empty() || package == kBuiltinPackage) scope.set(macro, replaced);
    if (package.empty() || !is_macro) return;
    Vm vm(vm_options(RenderMode::text));
    const auto known = scope.find(vm, package);
    if (!known.ok() || !known.value() || known.value()->kind() != Kind::object) return;
    scope.set(package, Value(Ref<Object>(new OverriddenPackage(*known.value(), macro, replaced))));
}

Result<void> UnitTestCompiler::override_names(NodeScope& scope) const {
    if (const Value* vars = overrides_of(test_, "vars")) scope.override_vars(Ref<Dict>(&vars->dict()));
    if (const Value* variables = overrides_of(test_, "env_vars")) {
        const Value usual = *TRY(scope.find_builtin("env_var"));
        const Value given = *variables;
        scope.set("env_var", jinja::make_function("env_var", [usual, given](Vm& vm, const Arguments& arguments) {
                      const Value* name = arguments.positional.empty() ? nullptr : &arguments.positional[0];
                      const Value* value =
                          name != nullptr && name->is_string() ? given.dict().find(name->string()) : nullptr;
                      return value != nullptr ? Result<Value>(*value) : usual.object().call(vm, arguments);
                  }));
    }
    const Value* macros = overrides_of(test_, "macros");
    if (macros == nullptr) return {};
    for (const auto& [name, value] : macros->dict().entries()) override_macro(scope, name.text(), value);
    return {};
}

// Text of SQL may hold Jinja; other rows become SQL by the macro that projects may override.
Result<std::string> UnitTestCompiler::render_input(const Input& input, Session* session) const {
    NodeRun run;
    run.session = session;
    NodeScope scope(services_, Phase::run,
                    {.node = &input.node, .package = input.node.package, .label = label_of(node_)});
    scope.run_with(run);
    Vm vm(vm_options(RenderMode::text), &services_.run.cancellation);
    std::string sql;
    if (input.rows->format == "sql") {
        const auto code = TRY(jinja::Template::compile(input.rows->rows.text(), input.node.place.original_path, {}));
        sql = TRY(vm.render(*code, scope));
    } else {
        const Macro* macro = scope.find_macro("get_fixture_sql");
        if (macro == nullptr) return Error(ErrorKind::internal, "there is no macro get_fixture_sql");
        const std::array<Value, 2> arguments = {input.rows->rows, Value::none()};
        sql = TRY(scope.call_macro(vm, *macro, {arguments, {}})).text();
    }
    TRY(write_compiled(services_, input.node, sql));
    return sql;
}

Result<CompiledNode> UnitTestCompiler::compile(NodeRun& run) {
    TRY(read_inputs());
    NodeScope scope(services_, Phase::run, {.node = &node_, .package = node_.package, .label = label_of(node_)});
    scope.run_with(run);
    scope.resolve_refs_by([this](const ModelRef& ref, const Node& target) -> Result<std::optional<Value>> {
        return std::optional(TRY(use(target.unique_id, "ref('" + ref.name + "')")));
    });
    scope.resolve_sources_by([this](const SourceTable& target) -> Result<std::optional<Value>> {
        return std::optional(TRY(use(target.unique_id, "source('" + target.source_name + "', '" + target.name + "')")));
    });
    // What a model that grows holds already stands before all else, whether it is read or not.
    const bool has_this = inputs_.contains(model_->unique_id);
    scope.set("this", has_this ? Value(TRY(use(model_->unique_id, "this")).text()) : Value::none());
    TRY(override_names(scope));
    jinja::TemplatePtr code = node_.code;
    if (code == nullptr) code = TRY(jinja::Template::compile(node_.raw_code, model_->place.original_path, {}));
    Vm vm(vm_options(RenderMode::text), &services_.run.cancellation);
    const std::string text = TRY(vm.render(*code, scope));
    CompiledNode compiled;
    for (const std::string& id : used_) {
        const Input& input = inputs_.at(id);
        const std::string sql = TRY(render_input(input, run.session));
        compiled.ctes.push_back({input.node.unique_id, " " + cte_name(id, input.node) + " as (\n" + sql + "\n)"});
    }
    compiled.code = inject_ctes(text, compiled.ctes);
    run.compiled_code = compiled.code;
    return compiled;
}

}  // namespace shaduf::models
