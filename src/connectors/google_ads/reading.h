#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "connectors/ads/fetcher.h"
#include "connectors/google_ads/api.h"

namespace shaduf::google_ads {

// What tells a row from all others of its query: the resources it is of and its segments. Its numbers and the names in
// it may be others when it is asked for again.
struct RowIdentity {
    uint64_t hash = 0;
    std::string_view day;       // of segments.date; "" where there is none
    std::string_view resource;  // the name of the resource that was asked for
};
// `resource` as JSON has it: "adGroupAd". False for what is no JSON object. `row` is readable for 16 bytes more; the
// views live as long as it does.
bool identify(std::string_view row, std::string_view resource, RowIdentity& identity);

// The rows of one slice on their way from queries to pages. When an answer is cut, all is asked for again if nothing of
// it has left; else only what is missing: the days are asked for in their order, so the last day that came is asked for
// again, and its rows that came before are known by their identities. (A hash over the rows themselves would condemn
// every cut within days whose numbers still move.) Memory: eight bytes a row of one day.
class SliceReading {
public:
    // `note` goes with every page. `resource`: see identify.
    SliceReading(const Api& api, const ads::Slice& slice, ads::SliceOutput& out, std::string note, std::string resource)
        : api_(api), slice_(slice), out_(out), note_(std::move(note)), resource_(std::move(resource)) {}

    using QueryOf = std::function<std::string(const std::optional<ads::DayRange>&)>;
    // Gives all rows of a query; its days are asked for in parts when they are too many at once.
    Result<void> ask(RunContext& run, const QueryOf& query_of, const std::optional<ads::DayRange>& days);
    // One more row, that no answer had.
    void add(std::string_view row);
    // Gives what is left; at least one page, so that a table of the columns stands even without a row.
    Result<void> finish(RunContext& run);
    // The most days that were not too many at once; 0: as many as were asked for.
    int64_t days_that_worked() const { return chunk_days_; }
    // Names of the resources whose rows came since the beginning, if they are wanted.
    std::vector<std::string>* names = nullptr;

private:
    enum class Retry : uint8_t { whole, rest };
    Result<void> take(RunContext& run, std::string_view row);
    void forget_rows();
    Result<Retry> prepare_retry(const Error& error);
    Result<void> check_skipped() const;
    Result<void> give(RunContext& run);

    const Api& api_;
    const ads::Slice& slice_;
    ads::SliceOutput& out_;
    const std::string note_;
    const std::string resource_;
    BufferBuilder page_;
    bool gave_ = false;
    bool is_first_query_ = true;
    int64_t chunk_days_ = 0;
    bool is_ordered_ = true;
    std::string day_;                                  // of the last row
    std::vector<uint64_t> given_;                      // of that day, and of this query
    std::unordered_map<uint64_t, uint32_t> expected_;  // after a cut: rows of the first day that came before
    size_t to_skip_ = 0;
    std::string resumed_day_;
};

}  // namespace shaduf::google_ads
