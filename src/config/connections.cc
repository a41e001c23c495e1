#include "config/connections.h"

#include <algorithm>

#include "base/text.h"

namespace shaduf {

void Connections::declare(const Node& node) {
    if (!node.is_null() && !node.is_map()) {
        errors_.push_back(Error(ErrorKind::invalid_config, "connections: expected a map by name").at(node.place()));
    }
    declared_ = node;
}

std::vector<std::string> Connections::names() const {
    std::vector<std::string> names;
    for (const auto& entry : declared_.entries()) names.push_back(entry.key);
    return names;
}

const ConnectionConfig* Connections::get(const std::string& name, const Place& place) {
    if (const auto found = ready_.find(name); found != ready_.end()) return &found->second;
    if (std::find(failed_.begin(), failed_.end(), name) != failed_.end()) return nullptr;
    if (!declared_.has(name)) {
        const auto known = names();
        const std::string hint =
            known.empty() ? "; declare it under connections in shaduf.yml" : did_you_mean(name, known);
        errors_.push_back(Error(ErrorKind::invalid_config, "connection not found: " + name + hint).at(place));
        return nullptr;
    }
    const Node& node = declared_[name];
    if (node.is_map()) return read(name, node, nullptr);
    errors_.push_back(Error(ErrorKind::invalid_config, "connection " + name + ": expected a map with a type")
                          .at(declared_.place_of_key(name)));
    failed_.push_back(name);
    return nullptr;
}

const ConnectionConfig* Connections::add_inline(const std::string& name, const Node& node,
                                                std::vector<Node::Entry>& rest) {
    return read(name, node, &rest);
}

const ConnectionConfig* Connections::read(const std::string& name, const Node& node, std::vector<Node::Entry>* rest) {
    const size_t errors_before = errors_.size();
    const auto fail = [&](const Place& place, std::string message) {
        errors_.push_back(Error(ErrorKind::invalid_config, std::move(message)).at(place));
        failed_.push_back(name);
        return nullptr;
    };
    const Node& type = node["type"];
    if (!type.is_scalar()) return fail(node.place(), "connection " + name + ": missing key: type");
    const auto fields = world_.connector(type.text());
    if (!fields) {
        return fail(type.place(),
                    "unknown connector: " + type.text() + did_you_mean(type.text(), world_.connector_types));
    }
    std::vector<Node::Entry> own;
    for (const auto& entry : node.entries()) {
        if (entry.key == "type") continue;
        const bool is_own = std::any_of(fields->connection.begin(), fields->connection.end(),
                                        [&](const FieldSpec& field) { return field.name == entry.key; });
        (is_own || rest == nullptr ? own : *rest).push_back(entry);
    }
    ConnectionConfig connection{name, type.text(), {}, node.place()};
    const auto resolve = [this](std::string_view text, const Place& place) { return references_.resolve(text, place); };
    for (Error& error :
         Options::create(fields->connection, Node::map(std::move(own), node.place()), resolve, connection.options)) {
        errors_.push_back(std::move(error));
    }
    if (errors_.size() != errors_before) {
        failed_.push_back(name);
        return nullptr;
    }
    return &ready_.insert_or_assign(name, std::move(connection)).first->second;
}

}  // namespace shaduf
