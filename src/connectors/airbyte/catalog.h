#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "connectors/command/options.h"
#include "connectors/connector.h"

namespace shaduf::airbyte {

// An AirbyteCatalog, as the source tells it or a file holds it (also a ConfiguredAirbyteCatalog, as Airbyte keeps it).
class Catalog {
public:
    // Of the file `path`, or, when it is "", as the source tells it. invalid_config, bad_data, unavailable.
    static Result<Catalog> load(RunContext& run, const std::string& path, const CommandLauncher& launcher);
    // The same, told once for all streams of a run.
    static Result<std::shared_ptr<const Catalog>> share(RunContext& run, const std::string& path,
                                                        const CommandLauncher& launcher);

    // `what` names the text in errors.
    static Result<Catalog> parse(std::string_view text, const std::string& what);

    std::vector<StreamInfo> streams() const;
    // By which `stream` knows each, in order; with the namespace where the bare name is not the only one.
    std::vector<std::string> names() const;
    // The configuration that a ConfiguredAirbyteCatalog (or the API's syncCatalog) holds of each, in order.
    const std::vector<nlohmann::ordered_json>& configured() const { return configured_; }
    // invalid_config when there is none of that name.
    Result<nlohmann::ordered_json> stream(const std::string& name) const;

private:
    Catalog() = default;

    std::vector<nlohmann::ordered_json> streams_;  // AirbyteStream
    std::vector<nlohmann::ordered_json> configured_;
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
