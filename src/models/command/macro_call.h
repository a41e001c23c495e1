#pragma once

#include <span>
#include <string>
#include <string_view>

#include "jinja/object.h"
#include "models/context/node_scope.h"

namespace shaduf::models {

// Calls macros for a command itself, beside all nodes, on one session. One thread; outlived by both.
class MacroCaller {
public:
    MacroCaller(const ContextServices& services, Session& session, std::string label,
                std::string connection = "master");

    // A macro as a name without a package finds it, of the root project first. internal: there is none.
    Result<jinja::Value> call(std::string_view macro, std::span<const jinja::NamedValue> arguments);
    Result<jinja::Value> call(const Macro& macro, std::span<const jinja::NamedValue> arguments);
    jinja::Vm& vm() { return vm_; }
    NodeScope& scope() { return scope_; }

private:
    NodeRun run_;
    NodeScope scope_;
    jinja::Vm vm_;
};

}  // namespace shaduf::models
