#pragma once

#include <string>
#include <string_view>

#include "models/context/node_scope.h"

namespace shaduf::models {

// The names that properties in YAML see: variables of their package, the environment, the target and the functions of
// every context; no macros, no refs. One thread; outlived by the services.
class SchemaScope : public jinja::Scope {
public:
    SchemaScope(const ContextServices& services, const std::string& package);
    Result<std::optional<jinja::Value>> find(jinja::Vm& vm, std::string_view name) const override;
    // A text of YAML in native mode; errors are of `file`.
    Result<jinja::Value> render(std::string_view text, const std::string& file) const;

private:
    NodeScope names_;
};

}  // namespace shaduf::models
