#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/project.h"
#include "config/references.h"

namespace shaduf {

// The connections of a project, read when someone first asks for one, so that what nobody uses needs no variables and
// secrets. Used while a project is read, by one thread.
class Connections {
public:
    Connections(const ProjectWorld& world, const References& references, std::vector<Error>& errors)
        : world_(world), references_(references), errors_(errors) {}

    // `node` is the map of shaduf.yml.
    void declare(const Node& node);
    std::vector<std::string> names() const;
    bool declares(const std::string& name) const { return declared_.has(name); }
    // nullptr when it cannot be used: then an error was added, the first time. `place` asks for it.
    const ConnectionConfig* get(const std::string& name, const Place& place);
    // One that is written where it is used. Keys that are not the connection's own are left to the caller in `rest`.
    const ConnectionConfig* add_inline(const std::string& name, const Node& node, std::vector<Node::Entry>& rest);
    std::map<std::string, ConnectionConfig, std::less<>> take() { return std::move(ready_); }

private:
    const ConnectionConfig* read(const std::string& name, const Node& node, std::vector<Node::Entry>* rest);

    const ProjectWorld& world_;
    const References& references_;
    std::vector<Error>& errors_;
    Node declared_;
    std::map<std::string, ConnectionConfig, std::less<>> ready_;
    std::vector<std::string> failed_;
};

}  // namespace shaduf
