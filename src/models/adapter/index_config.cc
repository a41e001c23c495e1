#include "models/adapter/index_config.h"

#include <array>
#include <chrono>

#include "base/time.h"
#include "io/crypto.h"
#include "models/host_object.h"

namespace shaduf::models {
namespace {

using jinja::Arguments;
using jinja::Value;
using jinja::Vm;

class IndexConfig final : public HostObject<IndexConfig> {
public:
    IndexConfig(std::vector<Value> columns, Value unique, Value type)
        : columns_(std::move(columns)), unique_(std::move(unique)), type_(std::move(type)) {}
    std::string_view type_name() const override { return "PostgresIndexConfig"; }
    static std::span<const Method> methods() {
        static constexpr std::array<Method, 1> kMethods = {{{"render", &IndexConfig::call_render}}};
        return kMethods;
    }

private:
    Result<std::optional<Value>> property(Vm&, std::string_view name) const override {
        if (name == "columns") return std::optional(Value::list(columns_));
        if (name == "unique") return std::optional(unique_);
        if (name == "type") return std::optional(type_);
        return std::optional<Value>();
    }
    Result<Value> call_render(Vm&, const Arguments& arguments) const {
        std::string text;
        for (const Value& column : columns_) text += column.text() + "_";
        for (const Value& argument : arguments.positional) text += argument.text() + "_";
        const auto now =
            std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch());
        text += unique_.text() + "_" + type_.text() + "_" + format_timestamp(now.count(), false);
        return Value(to_hex(md5(text)));
    }

    const std::vector<Value> columns_;
    const Value unique_, type_;
};

}  // namespace

Result<Value> parse_index(const Value& raw) {
    if (raw.is_none()) return Value::none();
    const Value* columns = raw.kind() == jinja::Kind::dict ? raw.dict().find("columns") : nullptr;
    if (columns == nullptr || columns->kind() != jinja::Kind::list) {
        return Error(ErrorKind::invalid_config, "an index must be a dict with a list of columns, found: " + raw.repr() +
                                                    "; write {'columns': ['id'], 'unique': true, 'type': 'btree'}");
    }
    const Value* unique = raw.dict().find("unique");
    const Value* type = raw.dict().find("type");
    return Value(jinja::Ref<jinja::Object>(new IndexConfig(columns->items(), unique == nullptr ? Value(false) : *unique,
                                                           type == nullptr ? Value::none() : *type)));
}

}  // namespace shaduf::models
