#include "models/parse/schema_scope.h"

#include <algorithm>
#include <array>

#include "models/context/native.h"

namespace shaduf::models {
namespace {

constexpr std::array<std::string_view, 27> kNames = {"var",
                                                     "env_var",
                                                     "log",
                                                     "print",
                                                     "target",
                                                     "env",
                                                     "flags",
                                                     "invocation_args_dict",
                                                     "project_name",
                                                     "invocation_id",
                                                     "run_started_at",
                                                     "thread_id",
                                                     "selected_resources",
                                                     "return",
                                                     "fromjson",
                                                     "tojson",
                                                     "fromyaml",
                                                     "toyaml",
                                                     "set",
                                                     "set_strict",
                                                     "zip",
                                                     "zip_strict",
                                                     "diff_of_two_dicts",
                                                     "local_md5",
                                                     "modules",
                                                     "dbt_version",
                                                     "try_or_compiler_error"};

}  // namespace

SchemaScope::SchemaScope(const ContextServices& services, const std::string& package)
    : names_(services, Phase::run, {.package = package, .label = ""}) {}

Result<std::optional<jinja::Value>> SchemaScope::find(jinja::Vm&, std::string_view name) const {
    if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) return std::optional<jinja::Value>();
    return names_.find_builtin(name);
}

Result<jinja::Value> SchemaScope::render(std::string_view text, const std::string& file) const {
    return render_native(text, file, *this);
}

}  // namespace shaduf::models
