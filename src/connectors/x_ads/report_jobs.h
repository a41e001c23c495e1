#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "connectors/ads/fetcher.h"
#include "connectors/x_ads/api.h"
#include "connectors/x_ads/report_unit.h"

namespace shaduf::x_ads {

// Asynchronous statistics: a job is made for each unit and set of metric groups, polled together with the others, and
// its file fetched once it is there. A job that fails, or is not done within an hour, is made once more, then its unit
// is split in two; a file whose URL has expired is asked for again. One thread.
class ReportJobs {
public:
    // `give` gets a unit with the answers of its jobs, in the order of the groups.
    using Give = std::function<Result<void>(const ReportUnit&, const std::vector<BufferPtr>&)>;

    ReportJobs(const Api& api, std::string account, const ReportSettings& report, const ReportCalendar& calendar,
               ads::Memory& memory);

    // At most so many days of a unit work by what is known.
    int days_max() const;
    Result<void> run_all(RunContext& run, std::vector<ReportUnit> units, const Give& give);

private:
    // A unit and what has come of it.
    struct Work {
        ReportUnit unit;
        std::vector<BufferPtr> answers;  // null: not there yet
        bool is_dropped = false;         // it was split
    };
    struct Job {
        std::shared_ptr<Work> work;
        size_t group = 0;
        std::string id = {};
        Timestamp made = {};
    };

    Result<void> submit(RunContext& run);
    Result<bool> poll(RunContext& run, const Give& give);  // whether anything changed
    Result<void> finish(RunContext& run, const Job& job, const std::string& url, const Give& give);
    Result<void> retry(const Job& job, const std::string& why);
    Result<void> split(const std::shared_ptr<Work>& work, const std::string& why);
    void enqueue(ReportUnit unit);

    const Api& api_;
    const std::string account_;
    const ReportSettings& report_;
    const ReportCalendar& calendar_;
    ads::Memory& memory_;
    const std::vector<std::vector<std::string>> groups_;
    std::vector<Job> waiting_;  // the last one is next
    std::vector<Job> running_;
};

}  // namespace shaduf::x_ads
