#include "jinja/vm.h"

#include <gtest/gtest.h>

#include <map>

#include "base/cancellation.h"
#include "jinja/object.h"
#include "jinja/template.h"

namespace shaduf::jinja {
namespace {

class Names final : public Scope {
public:
    Result<std::optional<Value>> find(Vm&, std::string_view name) const override {
        const auto found = values.find(name);
        return found == values.end() ? std::optional<Value>() : std::optional<Value>(found->second);
    }
    std::map<std::string, Value, std::less<>> values;
};

TemplatePtr compiled(std::string source, const Syntax& syntax = {}) {
    auto made = Template::compile(std::move(source), "test.sql", syntax);
    EXPECT_TRUE(made.ok()) << made.error().to_string();
    return made.release_value();
}

std::string error_of(std::string source, const VmOptions& options, const Cancellation* cancellation = nullptr) {
    Vm vm(options, cancellation);
    const auto text = vm.render(*compiled(std::move(source)), Names());
    return text.ok() ? "no error: " + text.value().substr(0, 100) : text.error().to_string();
}

void add_return(Names& names) {
    names.values["return"] = make_function(
        "return", [](Vm& vm, const Arguments& arguments) { return vm.return_value(arguments.positional[0]); });
}

TEST(JinjaVm, LimitsEndWhatWouldNotEnd) {
    VmOptions options;
    options.limits.steps_max = 10'000;
    options.limits.depth_max = 20;
    options.limits.output_bytes_max = 1000;
    const std::vector<std::pair<std::string, std::string>> cases{
        {"{% for i in range(100000) %}{% endfor %}", "too many steps"},
        {"{% set x = range(100000)|list %}", "too many steps"},
        {"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "nested too deeply"},
        {"{% for i in range(200) %}0123456789{% endfor %}", "output is too long"},
        {"{% set x = 'a' * 2000 %}", "text is too long"},
        {"{% set x = 'abcd' * 100 %}{% set x = x ~ x %}{% set x = x ~ x %}", "text is too long"},
        {"{% set l = [] %}{% for i in [1] if loops %}{% endfor %}{% for i in l %}{% endfor %}{{ [1] * 99999 }}",
         "too many steps"},
        {"{{ 'x'.center(99999999) }}", "width is too big"},
    };
    for (const auto& [source, expected] : cases) {
        SCOPED_TRACE(source);
        EXPECT_NE(error_of(source, options).find(expected), std::string::npos) << error_of(source, options);
    }
}

TEST(JinjaVm, CancellationEndsARendering) {
    Cancellation cancellation;
    cancellation.cancel();
    Vm vm({}, &cancellation);
    const auto text = vm.render(*compiled("{% for i in range(1000000) %}{% endfor %}"), Names());
    ASSERT_FALSE(text.ok());
    EXPECT_EQ(text.error().kind(), ErrorKind::canceled);
}

TEST(JinjaVm, IsUsedAgainAfterAnError) {
    Vm vm({});
    Names names;
    names.values["x"] = Value(2);
    EXPECT_FALSE(vm.render(*compiled("{% set a %}{{ [x, 1 / 0] }}{% endset %}"), names).ok());
    EXPECT_FALSE(vm.render(*compiled("{% for i in [1] %}{{ missing.x }}{% endfor %}"), names).ok());
    EXPECT_EQ(vm.render(*compiled("{{ x }}"), names).release_value(), "2");
}

TEST(JinjaVm, ReturnGivesAValueAndEndsTheMacro) {
    Vm vm({});
    Names names;
    add_return(names);
    const auto source = compiled(
        "{% macro m(a) %}text{% for i in [1, 2] %}{{ return([a, i]) }}{% endfor %}{% endmacro %}"
        "{% macro wrap() %}[{{ caller() }}]{% endmacro %}"
        "{% macro outer() %}{% call wrap() %}{{ return('from the block') }}{% endcall %}the outer goes on{% endmacro %}"
        "{{ m(5)[0] + 1 }} {{ outer() }} {{ m('x') }}{{ return(1) }} cut");
    EXPECT_EQ(vm.render(*source, names).release_value(), "6 from the blockthe outer goes on ['x', 1]");
}

TEST(JinjaVm, LoopsMayBeKeptBeyondTheirEnd) {
    Vm vm({});
    const auto source = compiled(
        "{% set ns = namespace() %}{% macro m() %}{% for i in [1, 2, 3, 4] if i is odd %}{% set ns.l = loop %}{% break "
        "%}"
        "{% endfor %}{% endmacro %}{{ m() }}{{ ns.l.last }}{{ ns.l.nextitem }}{{ ns.l.length }}"
        "{% for x in [1] recursive %}{% set ns.r = loop %}<{{ x }}>{% endfor %}{{ ns.r([2, 3]) }}");
    EXPECT_EQ(vm.render(*source, Names()).release_value(), "False32<1><2><3>");
}

TEST(JinjaVm, RenderValueGivesTheValueOfOneExpression) {
    Vm vm({});
    Names names;
    names.values["l"] = Value::list({Value(1)});
    EXPECT_EQ(vm.render_value(*compiled("{{ l + [2] }}"), names).release_value().repr(), "[1, 2]");
    EXPECT_EQ(vm.render_value(*compiled("{{ 3 }}"), names).release_value().repr(), "3");
    EXPECT_EQ(vm.render_value(*compiled(" {{ l }}"), names).release_value().repr(), "' [1]'");
    EXPECT_EQ(vm.render_value(*compiled("plain\n"), names).release_value().repr(), "'plain'");
}

TEST(JinjaVm, CallsMacrosAgainstTheScopeOfTheCaller) {
    Vm vm({});
    Names names;
    names.values["who"] = Value("caller");
    const auto source = compiled(
        "{% set top = 'top' %}{% macro helper() %}{{ who }}{% endmacro %}"
        "{% macro main(a, b=2) %}{{ a }}{{ b }}{{ top }}{{ helper() }}{% endmacro %}");
    ASSERT_EQ(source->definitions().size(), 2U);
    const Value argument(1);
    const auto text = vm.call_macro(*source, source->definitions()[1], names, Arguments{{&argument, 1}, {}});
    ASSERT_TRUE(text.ok()) << text.error().to_string();
    EXPECT_EQ(text.value().string(), "12topcaller");
}

TEST(JinjaVm, NamesOfMacrosMayBeTheHosts) {
    Vm vm({});
    Names names;
    names.values["helper"] =
        make_function("helper", [](Vm&, const Arguments&) -> Result<Value> { return Value("host"); });
    Syntax syntax;
    syntax.definition_names = DefinitionNames::of_host;
    const auto source =
        compiled("{% macro helper() %}own{% endmacro %}{% macro m() %}{{ helper() }}{% endmacro %}", syntax);
    EXPECT_EQ(vm.call_macro(*source, source->definitions()[1], names, {}).release_value().string(), "host");
    const auto nested =
        compiled("{% if true %}{% macro helper() %}nested{% endmacro %}{{ helper() }}{% endif %}", syntax);
    EXPECT_EQ(vm.render(*nested, names).release_value(), "nested");
}

TEST(JinjaVm, ErrorsHavePlaceAndChain) {
    const std::string error = error_of(
        "{% macro inner() %}\n{{ 1 / 0 }}{% endmacro %}{% macro outer() %}{{ inner() }}{% endmacro %}{{ outer() }}",
        {});
    EXPECT_EQ(error,
              "test.sql:2: column 4: division by zero (cause: in macro inner (test.sql:2:4) (cause: in macro outer "
              "(test.sql:2:48) (cause: in test.sql:2:75)))");
}

TEST(JinjaVm, SilentUndefinedGoesOn) {
    VmOptions options;
    options.undefined = UndefinedMode::silent;
    Vm vm(options);
    EXPECT_EQ(vm.render(*compiled("[{{ a.b(1)['c'](x=2).d }}]"), Names()).release_value(), "[]");
}

TEST(JinjaTemplate, TellsDefinitionsAndCalls) {
    Syntax syntax;
    syntax.definition_tags = {{"test", DefinitionTag::Form::macro},
                              {"materialization", DefinitionTag::Form::options},
                              {"docs", DefinitionTag::Form::text}};
    const auto source = compiled(
        "{{ config(materialized='table', tags=['a'], x=y) }}\n"
        "{% test unique(model, column=none) %}{{ ref('a', 'b') }}{% endtest %}\n"
        "{% materialization view, adapter='duckdb', default %}x{% endmaterialization %}\n"
        "{% docs orders %} {{ kept }} {% not a tag {% enddocs %}\n"
        "{{ dbt_utils.star(from=ref('é'), n=-1) }}",
        syntax);
    const auto& definitions = source->definitions();
    ASSERT_EQ(definitions.size(), 3U);
    EXPECT_EQ(definitions[0].tag + " " + definitions[0].name, "test unique");
    ASSERT_EQ(definitions[0].parameters.size(), 2U);
    EXPECT_FALSE(definitions[0].parameters[0].has_default);
    EXPECT_TRUE(definitions[0].parameters[1].has_default);
    EXPECT_EQ(definitions[0].span.line, 2U);
    ASSERT_EQ(definitions[1].options.size(), 2U);
    EXPECT_EQ(definitions[1].options[0].value->string(), "duckdb");
    EXPECT_FALSE(definitions[1].options[1].value.has_value());
    const Span& body = definitions[2].body;
    EXPECT_EQ(source->source().substr(body.begin, body.end - body.begin), " {{ kept }} {% not a tag ");
    const auto& calls = source->calls();
    ASSERT_EQ(calls.size(), 4U);
    EXPECT_EQ(calls[0].path, "config");
    EXPECT_EQ(calls[0].named[1].second->repr(), "['a']");
    EXPECT_FALSE(calls[0].named[2].second.has_value());
    EXPECT_EQ(calls[1].path, "ref");
    EXPECT_EQ(calls[1].definition, std::optional<size_t>(0));
    EXPECT_EQ(calls[2].path, "dbt_utils.star");
    EXPECT_EQ(calls[2].named[1].second->integer(), -1);
    EXPECT_EQ(calls[3].positional[0]->string(), "é");
    EXPECT_EQ(calls[3].span.line, 5U);
    EXPECT_EQ(calls[3].span.column, 24U);
}

TEST(JinjaTemplate, IsPlainWithoutTags) {
    EXPECT_TRUE(compiled("select 1 {x}\r\n")->is_plain());
    EXPECT_FALSE(compiled("select {# x #}")->is_plain());
    EXPECT_EQ(compiled("a\r\nb\rc")->source(), "a\nb\nc");
}

TEST(JinjaObject, BindsArgumentsAsPythonDoes) {
    const std::vector<Parameter> parameters{{"a"}, {"b", Value(2)}};
    const Value one(1);
    const NamedValue named{"b", Value(5)};
    const auto values = bind_arguments("f", parameters, Arguments{{&one, 1}, {&named, 1}});
    ASSERT_TRUE(values.ok());
    EXPECT_EQ(values.value()[1].integer(), 5);
    EXPECT_EQ(bind_arguments("f", parameters, {}).error().message(), "f() missing 1 required positional argument: 'a'");
    const NamedValue unknown{"c", Value(5)};
    EXPECT_EQ(bind_arguments("f", parameters, Arguments{{&one, 1}, {&unknown, 1}}).error().message(),
              "f() got an unexpected keyword argument 'c'");
}

}  // namespace
}  // namespace shaduf::jinja
