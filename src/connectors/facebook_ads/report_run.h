#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "connectors/ads/fetcher.h"
#include "connectors/facebook_ads/api.h"
#include "connectors/facebook_ads/settings.h"

namespace shaduf::facebook {

// The parameters of a report over `days`, as both kinds of calls take them.
QueryParams report_params(const ReportSettings& report, ads::DayRange days);

// Fetches a report for one account and some days, in pieces: a piece is some days of the account, or of a campaign, ad
// set or ad. Small ones by a synchronous call, others by report runs, as many under way as the gate lets in, all polled
// together. A piece that is too large, or whose run fails twice, is cut: first its days, then what it is about. What
// worked is remembered in `memory` for the account and the stream. One object a fetch; one thread.
class ReportFetch {
public:
    ReportFetch(const Api& api, JobGate& gate, const StreamSettings& stream, const ads::Slice& slice,
                ads::Memory& memory, ads::SliceOutput& out);
    ~ReportFetch();
    ReportFetch(const ReportFetch&) = delete;
    ReportFetch& operator=(const ReportFetch&) = delete;

    // REQUIRES: `days` begins and ends where rows of the report do.
    Result<void> fetch(RunContext& run, ads::DayRange days);

private:
    struct Piece {
        std::string node;  // "act_1", or the id of a campaign, ad set or ad
        Level about = Level::account;
        ads::DayRange days;
        int failures = 0;     // of its report runs
        int refusals = 0;     // of what cannot be cut any more
        bool by_run = false;  // a synchronous call was too much for it
        bool gave_pages = false;
    };
    struct Job {
        Piece piece;
        std::string id;
        Timestamp began{};
        Timestamp next_poll{};
        std::chrono::milliseconds wait{0};
        int64_t percent = 0;
    };
    enum class RunState : uint8_t { under_way, completed, failed };

    void begin(ads::DayRange days);
    bool goes_by_run(const Piece& piece) const;
    Result<void> start_pieces(RunContext& run);
    Result<void> fetch_at_once(RunContext& run, Piece piece);
    Result<std::string> request_run(RunContext& run, const Piece& piece);
    Result<void> submit(RunContext& run, Piece piece);
    Result<void> poll_due(RunContext& run);
    Result<std::vector<std::optional<BufferPtr>>> read_states(RunContext& run, const std::vector<size_t>& due);
    Result<void> act_on_state(RunContext& run, Job job, const BufferPtr& state);
    Result<void> run_failed(RunContext& run, Piece piece, const std::string& status, std::string_view state);
    Result<void> give_rows(RunContext& run, const std::string& path, const QueryParams& params, OnTooLarge on_too_large,
                           Piece& piece);
    Result<void> cut(RunContext& run, Piece piece, const Error& why);
    Result<bool> cut_by_children(RunContext& run, const Piece& piece);
    Result<std::vector<std::string>> find_children(RunContext& run, const Piece& piece, Level level);
    void leave_all();

    int days_at_once() const;
    void remember_days(int days);
    std::string memory_key(std::string_view what) const;

    const Api& api_;
    JobGate& gate_;
    const StreamSettings& stream_;
    const ReportSettings& report_;
    const ads::Slice& slice_;
    ads::Memory& memory_;
    ads::SliceOutput& out_;
    ads::DayRange whole_{};
    PageLimit limit_;
    int beginnings_ = 0;          // a restart is another one
    std::vector<Piece> pending_;  // the next one last
    std::vector<Job> jobs_;
};

}  // namespace shaduf::facebook
