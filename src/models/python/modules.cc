#include <array>
#include <chrono>
#include <cmath>
#include <functional>

#include "models/python/moment.h"
#include "models/python/regex.h"
#include "models/python/values.h"

// What `modules` of the context holds, as far as templates use it: datetime, pytz, re, itertools.
namespace shaduf::models {
namespace {

using jinja::Arguments;
using jinja::Dict;
using jinja::Kind;
using jinja::Parameter;
using jinja::Ref;
using jinja::Value;
using jinja::Vm;

int64_t now_utc() {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

int64_t integer(const Value& value) { return value.kind() == Kind::integer ? value.integer() : 0; }

double number(const Value& value) {
    return value.kind() == Kind::floating ? value.floating() : static_cast<double>(integer(value));
}

// A type of the module: called, it makes a value; its functions are attributes.
class TypeObject final : public jinja::Object {
public:
    TypeObject(std::string name, jinja::Function make, Ref<Dict> members)
        : name_(std::move(name)), make_(std::move(make)), members_(std::move(members)) {}
    std::string_view type_name() const override { return "type"; }
    std::string repr() const override { return "<class 'datetime." + name_ + "'>"; }
    bool is_callable() const override { return true; }
    Result<Value> call(Vm& vm, const Arguments& arguments) const override { return make_(vm, arguments); }
    Result<std::optional<Value>> attribute(Vm&, std::string_view name) const override {
        const Value* member = members_->find(name);
        return member == nullptr ? std::nullopt : std::optional(*member);
    }

private:
    const std::string name_;
    const jinja::Function make_;
    const Ref<Dict> members_;
};

Value type_value(std::string name, jinja::Function make, Ref<Dict> members) {
    return {Ref<jinja::Object>(new TypeObject(std::move(name), std::move(make), std::move(members)))};
}

Ref<Zone> zone_of(const Value& value) {
    auto* zone = value.object_as<Zone>();
    return zone == nullptr ? Ref<Zone>() : Ref<Zone>(zone);
}

Value moment_in(int64_t utc, Ref<Zone> zone) {
    if (zone) zone = zone->following_clock();
    const int64_t local = zone ? utc + zone->offset_at_utc(utc) * kMicrosPerSecond : utc;
    return moment_value(Moment::Kind::datetime, local, zone);
}

Result<Value> make_moment(Moment::Kind kind, std::string_view name, const Arguments& arguments) {
    const std::array<Parameter, 8> all = {{{"year"},
                                           {"month"},
                                           {"day"},
                                           {"hour", Value(0)},
                                           {"minute", Value(0)},
                                           {"second", Value(0)},
                                           {"microsecond", Value(0)},
                                           {"tzinfo", Value::none()}}};
    std::span<const Parameter> parameters = all;
    if (kind == Moment::Kind::date) parameters = parameters.first(3);
    if (kind == Moment::Kind::time) parameters = parameters.subspan(3);
    std::vector<Value> v = TRY(jinja::bind_arguments(name, parameters, arguments));
    if (kind == Moment::Kind::time) v.insert(v.begin(), {Value(1970), Value(1), Value(1)});
    v.resize(8);
    const auto micros = micros_of(integer(v[0]), integer(v[1]), integer(v[2]), integer(v[3]), integer(v[4]),
                                  integer(v[5]), integer(v[6]));
    if (!micros)
        return Error(ErrorKind::invalid_config, "there is no such " + std::string(name) + ": a part is out of range");
    return moment_value(kind, *micros, zone_of(v[7]));
}

Result<Value> from_iso(const std::string& text, Moment::Kind kind) {
    for (const std::string_view format : {"%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f",
                                          "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
        std::string read = text;
        if (read.size() > 10 && read[10] == ' ') read[10] = 'T';
        if (auto value = parse_moment(read, format)) {
            if (kind == Moment::Kind::datetime) return *value;
            const int64_t local = value->object_as<Moment>()->local_micros();
            return moment_value(kind, local - ((local % kMicrosPerDay) + kMicrosPerDay) % kMicrosPerDay);
        }
    }
    return Error(ErrorKind::invalid_config, "Invalid isoformat string: '" + text + "'");
}

using Body = std::function<Result<Value>(const std::vector<Value>&)>;

void add(Dict& members, const std::string& name, std::vector<Parameter> parameters, Body body) {
    members.set(name, jinja::make_function(name,
                                           [name, parameters = std::move(parameters), body = std::move(body)](
                                               Vm&, const Arguments& arguments) -> Result<Value> {
                                               return body(TRY(jinja::bind_arguments(name, parameters, arguments)));
                                           }));
}

Value datetime_type() {
    auto members = jinja::make<Dict>();
    add(*members, "now", {{"tz", Value::none()}}, [](const auto& v) { return moment_in(now_utc(), zone_of(v[0])); });
    add(*members, "utcnow", {}, [](const auto&) { return moment_in(now_utc(), {}); });
    add(*members, "today", {}, [](const auto&) { return moment_in(now_utc(), {}); });
    add(*members, "strptime", {{"date_string"}, {"format"}}, [](const auto& v) -> Result<Value> {
        if (auto value = parse_moment(v[0].text(), v[1].text())) return *value;
        return Error(ErrorKind::invalid_config,
                     "time data '" + v[0].text() + "' does not match format '" + v[1].text() + "'");
    });
    add(*members, "fromisoformat", {{"date_string"}},
        [](const auto& v) { return from_iso(v[0].text(), Moment::Kind::datetime); });
    add(*members, "fromtimestamp", {{"timestamp"}, {"tz", Value::none()}}, [](const auto& v) {
        return moment_in(std::llround(number(v[0]) * static_cast<double>(kMicrosPerSecond)), zone_of(v[1]));
    });
    add(*members, "utcfromtimestamp", {{"timestamp"}}, [](const auto& v) {
        return moment_in(std::llround(number(v[0]) * static_cast<double>(kMicrosPerSecond)), {});
    });
    add(*members, "combine", {{"date"}, {"time"}}, [](const auto& v) -> Result<Value> {
        const auto* date = v[0].template object_as<Moment>();
        const auto* time = v[1].template object_as<Moment>();
        if (date == nullptr || time == nullptr)
            return Error(ErrorKind::invalid_config, "combine() takes a date and a time");
        return moment_value(Moment::Kind::datetime, date->local_micros() + time->local_micros());
    });
    return type_value(
        "datetime",
        [](Vm&, const Arguments& arguments) { return make_moment(Moment::Kind::datetime, "datetime", arguments); },
        std::move(members));
}

Value date_type() {
    auto members = jinja::make<Dict>();
    add(*members, "today", {}, [](const auto&) {
        const int64_t now = now_utc();
        return moment_value(Moment::Kind::date, now - now % kMicrosPerDay);
    });
    add(*members, "fromisoformat", {{"date_string"}},
        [](const auto& v) { return from_iso(v[0].text(), Moment::Kind::date); });
    return type_value(
        "date", [](Vm&, const Arguments& arguments) { return make_moment(Moment::Kind::date, "date", arguments); },
        std::move(members));
}

Value timedelta_type() {
    return type_value(
        "timedelta",
        [](Vm&, const Arguments& arguments) -> Result<Value> {
            const std::array<Parameter, 7> parameters = {{{"days", Value(0)},
                                                          {"seconds", Value(0)},
                                                          {"microseconds", Value(0)},
                                                          {"milliseconds", Value(0)},
                                                          {"minutes", Value(0)},
                                                          {"hours", Value(0)},
                                                          {"weeks", Value(0)}}};
            const auto v = TRY(jinja::bind_arguments("timedelta", parameters, arguments));
            constexpr std::array<double, 7> kMicros = {86'400e6, 1e6, 1, 1e3, 60e6, 3'600e6, 604'800e6};
            double micros = 0;
            for (size_t i = 0; i < kMicros.size(); ++i) micros += number(v[i]) * kMicros.at(i);
            return timedelta_value(std::llround(micros));
        },
        jinja::make<Dict>());
}

Value timezone_type() {
    auto members = jinja::make<Dict>();
    members->set("utc", Ref<jinja::Object>(utc_zone().get()));
    return type_value(
        "timezone",
        [](Vm&, const Arguments& arguments) -> Result<Value> {
            const std::array<Parameter, 2> parameters = {{{"offset"}, {"name", Value::none()}}};
            const auto v = TRY(jinja::bind_arguments("timezone", parameters, arguments));
            const auto* offset = v[0].object_as<TimeDelta>();
            if (offset == nullptr) return Error(ErrorKind::invalid_config, "timezone() takes a timedelta");
            return Value(
                Ref<jinja::Object>(fixed_zone(static_cast<int32_t>(offset->micros() / kMicrosPerSecond)).get()));
        },
        std::move(members));
}

Value datetime_module() {
    auto module = jinja::make<Dict>();
    module->set("datetime", datetime_type());
    module->set("date", date_type());
    module->set(
        "time",
        type_value(
            "time", [](Vm&, const Arguments& arguments) { return make_moment(Moment::Kind::time, "time", arguments); },
            jinja::make<Dict>()));
    module->set("timedelta", timedelta_type());
    module->set("timezone", timezone_type());
    return module;
}

Value pytz_module() {
    auto module = jinja::make<Dict>();
    const Value utc(Ref<jinja::Object>(utc_zone().get()));
    module->set("utc", utc);
    module->set("UTC", utc);
    add(*module, "timezone", {{"zone"}},
        [](const auto& v) -> Result<Value> { return Value(Ref<jinja::Object>(TRY(named_zone(v[0].text())).get())); });
    return module;
}

// All tuples of one item of each list, the last turning fastest.
Result<Value> product(const Arguments& arguments) {
    std::vector<std::vector<Value>> rows = {{}};
    for (const Value& list : arguments.positional) {
        if (list.kind() != Kind::list && list.kind() != Kind::tuple) {
            return Error(ErrorKind::invalid_config, "product() takes lists, found: " + list.repr());
        }
        constexpr size_t kRowsMax = 1'000'000;
        if (rows.size() * std::max<size_t>(1, list.items().size()) > kRowsMax) {
            return Error(ErrorKind::invalid_config, "product() of more than a million rows");
        }
        std::vector<std::vector<Value>> longer;
        for (const auto& row : rows) {
            for (const Value& item : list.items()) {
                longer.push_back(row);
                longer.back().push_back(item);
            }
        }
        rows = std::move(longer);
    }
    std::vector<Value> tuples;
    for (auto& row : rows) tuples.push_back(Value::tuple(std::move(row)));
    return Value::list(std::move(tuples));
}

Result<Value> chain(const Arguments& arguments) {
    std::vector<Value> all;
    for (const Value& list : arguments.positional) {
        if (list.kind() != Kind::list && list.kind() != Kind::tuple) {
            return Error(ErrorKind::invalid_config, "chain() takes lists, found: " + list.repr());
        }
        all.insert(all.end(), list.items().begin(), list.items().end());
    }
    return Value::list(std::move(all));
}

Value itertools_module() {
    auto module = jinja::make<Dict>();
    module->set("product", jinja::make_function("product", [](Vm&, const Arguments& a) { return product(a); }));
    module->set("chain", jinja::make_function("chain", [](Vm&, const Arguments& a) { return chain(a); }));
    return module;
}

}  // namespace

Value modules_value() {
    auto modules = jinja::make<Dict>();
    modules->set("datetime", datetime_module());
    modules->set("pytz", pytz_module());
    modules->set("re", regex_module());
    modules->set("itertools", itertools_module());
    return modules;
}

}  // namespace shaduf::models
