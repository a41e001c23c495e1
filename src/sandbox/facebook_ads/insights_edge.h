#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "sandbox/facebook_ads/insights_query.h"
#include "sandbox/platform.h"

namespace shaduf::sandbox::facebook {

// Insights of accounts, campaigns, ad sets and ads: at once, or as reports that are made in the background.
// Thread-safe.
class InsightsEdge {
public:
    explicit InsightsEdge(Environment& environment) : environment_(environment) {}

    // GET /{object}/insights
    HttpServerResponse answer_now(Call& call, const Params& params, const World& world, const Entity& entity);
    // POST /{object}/insights
    HttpServerResponse begin_report(Call& call, const Params& params, const World& world, const Entity& entity);

    // Whose report this is; "": there is no such report.
    std::string account_of(std::string_view report) const;
    // GET /{report}
    HttpServerResponse report_state(std::string_view report, const World& world);
    // GET /{report}/insights
    HttpServerResponse report_rows(Call& call, const Params& params, std::string_view report, const World& world);
    void reset();

private:
    enum class Fate : uint8_t { completed, stuck, failed, skipped, late };
    struct Report {
        InsightsQuery query;
        std::string account;
        std::chrono::steady_clock::time_point made;
        Timestamp made_at;
        int64_t polls = 0;
        int64_t polls_needed = 1;
        Fate fate = Fate::completed;
        int64_t error_code = 0;
        int64_t error_subcode = 0;
        std::string error_message;
    };
    struct Progress {
        std::string_view status;
        int64_t percent;
    };
    static Progress progress_of(const Report& report);
    static void set_fate(const Call& call, Report& report);
    HttpServerResponse page(Call& call, const Params& params, const World& world, const InsightsQuery& query);
    Report* find(std::string_view id);

    Environment& environment_;
    mutable std::mutex mutex_;
    std::map<std::string, Report, std::less<>> reports_;
    int64_t next_report_ = 1;
};

// The URL of the next page: that of this one with another "after".
std::string next_url(const Call& call, const Params& params, const std::string& after);
// "limit", between 1 and the most that a page may have; 25 where nothing is said.
size_t page_limit(const Params& params);

}  // namespace shaduf::sandbox::facebook
