#pragma once

#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/run_context.h"
#include "cli/command.h"
#include "cli/frame/arguments.h"
#include "config/project.h"
#include "connectors/connector.h"

namespace shaduf {

// One call of one command: its arguments, the registries that main hands down, where to print. One thread.
class Session {
public:
    struct Parts {
        const Arguments& arguments;
        const Registry<ConnectorSpec>& connectors;
        const Registry<CommandSpec>& commands;
        std::ostream& out;
        std::ostream& errors;
    };
    explicit Session(Parts parts);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    const Arguments& arguments() const { return parts_.arguments; }
    const Registry<ConnectorSpec>& connectors() const { return parts_.connectors; }
    const Registry<CommandSpec>& commands() const { return parts_.commands; }
    std::ostream& out() { return parts_.out; }
    std::ostream& errors() { return parts_.errors; }
    bool json() const { return parts_.arguments.flag("json"); }

    // Makes the project's folder that of the process. On an error prints it and returns false: exit with kExitMisused.
    bool enter_folder() { return enter_folder(arguments().text("project")); }
    bool enter_folder(const std::string& folder);

    // Enters the project's folder and reads it; a folder that `request` names is read without entering it. On errors
    // prints them all and returns nullptr: exit with kExitMisused.
    const Project* open_project(ProjectRequest request);
    // Reads only what `name` needs: the pipeline of that name, else the connection.
    const Project* open_project_for(const std::string& name);
    const Project* open_project() { return open_project(ProjectRequest()); }
    // That was opened last; nullptr: none.
    const Project* project() const { return project_.get(); }
    // The project of the folder that was entered, in the environment that `request` names; prints nothing.
    Result<Project> read_project(const ProjectRequest& request) const;

    // An environment variable of the process; nullopt: not set.
    static std::optional<std::string> variable(const std::string& name);

    // The world of this call. `events` is told what happens; without it, warnings are printed. SIGINT cancels.
    RunContext& world(RunEvents* events = nullptr);

    // Prints errors (as JSON where asked for) and returns the status that they mean.
    int fail(const std::vector<Error>& errors);
    int fail(const Error& error) { return fail(std::vector<Error>{error}); }
    int misuse(std::string message) { return fail(Error(ErrorKind::invalid_config, std::move(message))); }

    const ConnectorSpec& connector_of(const ConnectionConfig& connection) const;

private:
    struct World;
    Parts parts_;
    bool entered_ = false;
    std::unique_ptr<Project> project_;
    std::unique_ptr<World> world_;
};

// A part of a project that the user names: "pipeline", "pipeline.stream" or a connection.
struct Selection {
    std::string first;
    std::string second;
    static Selection parse(std::string_view text);
    // Whether it takes in this stream; an empty part takes in all, and the title of a pipeline both of its halves.
    bool has(std::string_view pipeline, std::string_view stream) const {
        if (pipeline.ends_with(kProducerSuffix)) pipeline.remove_suffix(kProducerSuffix.size());
        return (first.empty() || first == pipeline) && (second.empty() || second == stream);
    }
};

}  // namespace shaduf
