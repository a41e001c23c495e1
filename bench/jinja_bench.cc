// Measures the template language on what models are made of, in CPU time of one thread and, under callgrind, in
// instructions:
//   jinja_bench [rounds]

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "jinja/object.h"
#include "jinja/template.h"
#include "jinja/vm.h"

namespace shaduf::jinja {
namespace {

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

long resident_kilobytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

constexpr std::string_view kModel = R"({{ config(materialized='table', tags=['nightly', 'core'], schema='marts') }}

with orders as (
    select * from {{ ref('stg_orders') }}
),
payments as (
    select * from {{ ref('stg_payments') }}
),
{% set payment_methods = ['credit_card', 'coupon', 'bank_transfer', 'gift_card'] %}
order_payments as (
    select
        order_id,
        {% for payment_method in payment_methods -%}
        sum(case when payment_method = '{{ payment_method }}' then amount else 0 end) as {{ payment_method }}_amount
        {%- if not loop.last %},{% endif %}
        {% endfor %}
    from payments
    group by order_id
)
select * from orders left join order_payments using (order_id)
{% if is_incremental() %}
where updated_at > (select max(updated_at) from {{ this }})
{% endif %}
)";

class ModelScope final : public Scope {
public:
    ModelScope()
        : config_(make_function("config", [](Vm&, const Arguments&) -> Result<Value> { return Value(""); })),
          ref_(make_function("ref",
                             [](Vm&, const Arguments& arguments) -> Result<Value> {
                                 return Value("\"db\".\"schema\".\"" + arguments.positional[0].text() + "\"");
                             })),
          is_incremental_(
              make_function("is_incremental", [](Vm&, const Arguments&) -> Result<Value> { return Value(true); })) {}

    Result<std::optional<Value>> find(Vm&, std::string_view name) const override {
        if (name == "config") return std::optional<Value>(config_);
        if (name == "ref") return std::optional<Value>(ref_);
        if (name == "is_incremental") return std::optional<Value>(is_incremental_);
        if (name == "this") return std::optional<Value>(Value("\"db\".\"schema\".\"orders\""));
        return std::optional<Value>();
    }

private:
    Value config_;
    Value ref_;
    Value is_incremental_;
};

void print(const char* what, int rounds, double seconds) {
    std::printf("%-20s %8.2f us each, %d times\n", what, seconds / rounds * 1e6, rounds);
}

void run(int rounds) {
    const Syntax syntax;
    double begin = cpu_seconds();
    size_t calls = 0;
    for (int i = 0; i < rounds; ++i) {
        calls += Template::compile(std::string(kModel), "model.sql", syntax).release_value()->calls().size();
    }
    print("parse and compile", rounds, cpu_seconds() - begin);
    const auto source = Template::compile(std::string(kModel), "model.sql", syntax).release_value();
    const ModelScope scope;
    Vm vm({});
    begin = cpu_seconds();
    size_t bytes = 0;
    for (int i = 0; i < rounds; ++i) bytes += vm.render(*source, scope).release_value().size();
    print("render", rounds, cpu_seconds() - begin);
    std::printf("%zu calls, %zu bytes\n", calls, bytes);
    constexpr int kHeld = 10'000;
    const long before = resident_kilobytes();
    std::vector<TemplatePtr> held;
    for (int i = 0; i < kHeld; ++i) {
        held.push_back(Template::compile(std::string(kModel), "model.sql", syntax).release_value());
    }
    std::printf("%-20s %8ld MB for %d of %zu bytes\n", "held", (resident_kilobytes() - before) / 1024, kHeld,
                kModel.size());
}

}  // namespace
}  // namespace shaduf::jinja

int main(int argc, char** argv) { shaduf::jinja::run(argc > 1 ? std::atoi(argv[1]) : 20'000); }
