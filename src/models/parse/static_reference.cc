#include "models/parse/static_reference.h"

#include <algorithm>

#include "jinja/template.h"

namespace shaduf::models {

std::optional<StaticReference> read_reference(std::string_view text) {
    const auto code = jinja::Template::compile("{{ " + std::string(text) + " }}", "", {});
    if (!code.ok() || code.value()->calls().size() != 1) return std::nullopt;
    const jinja::CallSite& call = code.value()->calls().front();
    std::vector<std::string> given;
    for (const auto& argument : call.positional) {
        if (!argument) return std::nullopt;
        given.push_back(argument->text());
    }
    StaticReference reference;
    if (call.path == "source" && given.size() == 2) {
        reference.source = SourceRef{given[0], given[1]};
        return reference;
    }
    if (call.path == "metric" && !given.empty() && given.size() <= 2) {
        reference.metric = std::move(given);
        return reference;
    }
    if (call.path != "ref" || given.empty() || given.size() > 2) return std::nullopt;
    ModelRef ref;
    ref.name = given.back();
    if (given.size() == 2) ref.package = given.front();
    for (const auto& [name, value] : call.named) {
        if ((name == "v" || name == "version") && value) ref.version = value->text();
    }
    reference.ref = std::move(ref);
    return reference;
}

}  // namespace shaduf::models
