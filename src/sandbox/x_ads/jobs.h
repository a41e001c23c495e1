#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "io/http_server.h"
#include "sandbox/platform.h"

namespace shaduf::sandbox::x_ads {

// What becomes of a job.
enum class JobFate : uint8_t { succeeds, fails, hangs };

struct Job {
    int64_t id = 0;  // beyond what a double holds
    std::string account;
    HttpServerRequest request;  // what it was asked by
    Timestamp made;
    JobFate fate = JobFate::succeeds;
};

// Asynchronous statistics. A job is in progress until it was asked for once; its file is made when it is fetched, from
// what is known then, at a URL that holds for two days. Thread-safe.
class Jobs {
public:
    // nullopt: the account has 100 jobs in progress already.
    std::optional<Job> add(const std::string& account, const HttpServerRequest& request, Timestamp now, JobFate fate);
    // Those of the account with these ids; all when none is given. `origin` is what URLs begin with.
    nlohmann::ordered_json states(const std::string& account, const std::vector<std::string>& ids,
                                  const std::string& origin, Timestamp now);
    // The job whose file this path is; nullopt: there is none, or the URL has expired.
    std::optional<Job> of_file(std::string_view path, Timestamp now) const;
    void reset();

private:
    struct Entry {
        Job job;
        bool is_done = false;
    };
    mutable std::mutex mutex_;
    std::map<int64_t, Entry> jobs_;
    int64_t generation_ = 0;
};

inline constexpr std::string_view kFilePrefix = "/x-ads-files/";
// A job as an answer tells it.
nlohmann::ordered_json job_json(const Job& job, std::string_view status, const std::string& url);

}  // namespace shaduf::sandbox::x_ads
