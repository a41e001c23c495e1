#include "server/endpoint.h"

#include <charconv>

namespace shaduf::server {
namespace {

// How an error is known that is about something which is not there: where its name stands in the call.
constexpr std::string_view kNotFound = "not found";

}  // namespace

std::string_view to_string(Role role) {
    switch (role) {
        case Role::nobody: return "nobody";
        case Role::viewer: return "viewer";
        case Role::editor: return "editor";
        case Role::operator_: return "operator";
        case Role::admin: return "admin";
    }
    return "nobody";
}

std::optional<Role> role_of(std::string_view name) {
    for (const Role role : {Role::viewer, Role::editor, Role::operator_, Role::admin}) {
        if (to_string(role) == name) return role;
    }
    return std::nullopt;
}

std::string ApiCall::query(std::string_view name) const {
    if (request.has_query(name)) return std::string(request.query_value(name));
    const auto found = defaults.find(name);
    return found == defaults.end() ? "" : found->second;
}

int64_t ApiCall::query_integer(std::string_view name) const {
    const std::string text = query(name);
    int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

Error not_found(std::string_view what, std::string_view name) {
    return Error(ErrorKind::invalid_config, std::string(what) + " not found: " + std::string(name))
        .at_point({.fragment = std::string(kNotFound)});
}

bool is_not_found(const Error& error) {
    const auto& point = error.point();
    return point && point->line == 0 && point->column == 0 && point->fragment == kNotFound;
}

bool is_for_file(const Caller& caller, std::string_view file) {
    if (caller.folders.empty()) return true;
    for (std::string_view folder : caller.folders) {
        while (folder.ends_with('/')) folder.remove_suffix(1);
        if (file.starts_with(folder) && (file.size() == folder.size() || file[folder.size()] == '/')) return true;
    }
    return false;
}

}  // namespace shaduf::server
