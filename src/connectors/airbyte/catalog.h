#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "config/command_options.h"
#include "connectors/connector.h"

namespace shaduf::airbyte {

// An AirbyteCatalog, as the source tells it or a file holds it (also a ConfiguredAirbyteCatalog, as Airbyte keeps it).
class Catalog {
public:
    // Of the file `path`, or, when it is "", as the source tells it. invalid_config, bad_data, unavailable.
    static Result<Catalog> load(RunContext& run, const std::string& path, const CommandLauncher& launcher);

    std::vector<StreamInfo> streams() const;
    // invalid_config when there is none of that name.
    Result<nlohmann::ordered_json> stream(const std::string& name) const;

private:
    explicit Catalog(std::vector<nlohmann::ordered_json> streams) : streams_(std::move(streams)) {}
    static Result<Catalog> parse(std::string_view text, const std::string& what);
    std::vector<std::string> names() const;

    std::vector<nlohmann::ordered_json> streams_;  // AirbyteStream
};

// One stream of a catalog, made ready to be read.
struct ConfiguredStream {
    std::string name;
    std::string name_space;
    std::string catalog;   // ConfiguredAirbyteCatalog of this stream alone
    bool resumes = false;  // the states that the source tells may be given to it again
    std::vector<ShapeColumn> columns;
};
Result<ConfiguredStream> configure(const nlohmann::ordered_json& stream, const StreamRequest& request);

}  // namespace shaduf::airbyte
