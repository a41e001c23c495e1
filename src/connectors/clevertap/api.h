#pragma once

#include <functional>
#include <memory>
#include <string>

#include "connectors/ads/client.h"
#include "connectors/ads/slice.h"
#include "connectors/clevertap/settings.h"
#include "data/buffer.h"

namespace shaduf::clevertap {

// Calls of one project, three of each API at once over all pipelines. Thread-safe.
class Api {
public:
    explicit Api(ConnectionSettings settings);

    const ads::Account& project() const { return settings_.project; }

    enum class Outcome : uint8_t {
        exported,
        not_exported,  // CleverTap exports no events of this name
    };
    // Exports what `query` (JSON) asks for, events or profiles, page by page: asks for a cursor, waits until the export
    // is ready, follows the cursors to their end. A page may have no record.
    using OnPage = std::function<Result<void>(const BufferPtr&)>;
    Result<Outcome> export_records(RunContext& run, const std::string& api, const std::string& query,
                                   const std::string& params, const OnPage& on_page) const;

    // A count, for which CleverTap may need some time. nullopt: events of this name are not told of.
    Result<std::optional<BufferPtr>> count_events(RunContext& run, const std::string& query) const;

    // POST with a JSON body.
    Result<BufferPtr> post(RunContext& run, const std::string& api, const std::string& path,
                           const std::string& body) const;
    // The result of a campaign, as JSON; "" when there is none yet.
    Result<std::string> campaign_result(RunContext& run, const std::string& id) const;
    Result<BufferPtr> event_schema(RunContext& run) const;

private:
    Result<HttpResponse> send(RunContext& run, const char* method, const std::string& api, const std::string& target,
                              const std::string& body) const;
    Result<HttpResponse> send_until_ready(RunContext& run, const char* method, const std::string& api,
                                          const std::string& target, const std::string& body) const;

    const ConnectionSettings settings_;
    const ads::Client client_;
};

// "20261101", as CleverTap writes days.
std::string compact_day(ads::Day day);

}  // namespace shaduf::clevertap
