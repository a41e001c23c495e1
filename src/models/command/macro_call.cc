#include "models/command/macro_call.h"

#include "base/run_context.h"
#include "models/context/native.h"
#include "models/run/statement_error.h"

namespace shaduf::models {

MacroCaller::MacroCaller(const ContextServices& services, Session& session, std::string label, std::string connection)
    : scope_(services, Phase::run,
             {.package = services.root_package, .label = std::move(label), .connection = std::move(connection)}),
      vm_(vm_options(RenderMode::text), &services.run.cancellation) {
    run_.session = &session;
    scope_.run_with(run_);
}

Result<jinja::Value> MacroCaller::call(std::string_view macro, std::span<const jinja::NamedValue> arguments) {
    const Macro* found = scope_.find_macro(macro);
    if (found == nullptr) return Error(ErrorKind::internal, "there is no macro " + std::string(macro));
    return call(*found, arguments);
}

Result<jinja::Value> MacroCaller::call(const Macro& macro, std::span<const jinja::NamedValue> arguments) {
    auto value = scope_.call_macro(vm_, macro, {{}, arguments});
    if (value.ok()) return value;
    return statement_error(value.release_error(), run_, {.file = macro.place.original_path, .code = ""});
}

}  // namespace shaduf::models
