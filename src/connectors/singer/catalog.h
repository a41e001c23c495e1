#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "connectors/command/options.h"
#include "connectors/connector.h"

namespace shaduf::singer {

// A tap's catalog, as it tells it or a file holds it.
class Catalog {
public:
    // Of the file `path`, or, when it is "", as the tap tells it. invalid_config, bad_data, unavailable.
    static Result<Catalog> load(RunContext& run, const std::string& path, const CommandLauncher& launcher);
    // The same, told once for all streams of a run.
    static Result<std::shared_ptr<const Catalog>> share(RunContext& run, const std::string& path,
                                                        const CommandLauncher& launcher);

    static Result<Catalog> parse(std::string_view text, const std::string& what);

    std::vector<StreamInfo> streams() const;
    // What the catalog itself says of each stream, in order.
    struct Choice {
        bool selected = false;
        std::string method;  // FULL_TABLE, INCREMENTAL, LOG_BASED, or ""
    };
    std::vector<Choice> choices() const;

    struct Selected {
        std::string catalog;      // the whole one, with one stream selected
        std::string stream_name;  // as its messages name it
        std::vector<ShapeColumn> columns;
    };
    // invalid_config when there is no such stream, or it cannot be read in that mode.
    Result<Selected> select(const StreamRequest& request) const;

private:
    explicit Catalog(nlohmann::ordered_json json) : json_(std::move(json)) {}

    nlohmann::ordered_json json_;
};

}  // namespace shaduf::singer
