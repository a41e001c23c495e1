#include "sandbox/x_ads/jobs.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/time.h"

namespace shaduf::sandbox::x_ads {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kInProgressMax = 100;
constexpr int64_t kFirstId = 1'120'829'647'711'653'888;
constexpr int64_t kIdStep = 12'289;
constexpr std::chrono::hours kFileHolds{48};
constexpr std::string_view kFileEnd = ".json.gz";

std::string time_text(Timestamp time) { return format_timestamp(std::chrono::floor<std::chrono::seconds>(time)); }

}  // namespace

Json job_json(const Job& job, std::string_view status, const std::string& url) {
    const Json no_url = nullptr;
    return {{"id", job.id},
            {"id_str", std::to_string(job.id)},
            {"status", status},
            {"url", url.empty() ? no_url : Json(url)},
            {"entity", std::string(job.request.query_value("entity"))},
            {"account_id", job.account},
            {"created_at", time_text(job.made)},
            {"expires_at", url.empty() ? no_url : Json(time_text(job.made + kFileHolds))}};
}

std::optional<Job> Jobs::add(const std::string& account, const HttpServerRequest& request, Timestamp now,
                             JobFate fate) {
    const std::lock_guard lock(mutex_);
    const auto in_progress = std::count_if(jobs_.begin(), jobs_.end(), [&](const auto& entry) {
        return entry.second.job.account == account && !entry.second.is_done;
    });
    if (static_cast<size_t>(in_progress) >= kInProgressMax) return std::nullopt;
    Job job;
    job.id = kFirstId + ++generation_ * kIdStep;
    job.account = account;
    job.request = request;
    job.made = now;
    job.fate = fate;
    jobs_[job.id].job = job;
    return job;
}

Json Jobs::states(const std::string& account, const std::vector<std::string>& ids, const std::string& origin,
                  Timestamp now) {
    const std::lock_guard lock(mutex_);
    Json list = Json::array();
    for (auto& [id, entry] : jobs_) {
        const Job& job = entry.job;
        const std::string text = std::to_string(id);
        if (job.account != account) continue;
        if (!ids.empty() && std::find(ids.begin(), ids.end(), text) == ids.end()) continue;
        entry.is_done = job.fate != JobFate::hangs;
        if (job.fate == JobFate::hangs) {
            list.push_back(job_json(job, "PROCESSING", ""));
        } else if (job.fate == JobFate::fails) {
            list.push_back(job_json(job, "FAILED", ""));
        } else {
            const bool holds = now - job.made < kFileHolds;
            const std::string url = origin + std::string(kFilePrefix) + text + std::string(kFileEnd);
            list.push_back(job_json(job, "SUCCESS", holds ? url : ""));
        }
    }
    return list;
}

std::optional<Job> Jobs::of_file(std::string_view path, Timestamp now) const {
    if (!path.starts_with(kFilePrefix) || !path.ends_with(kFileEnd)) return std::nullopt;
    path.remove_prefix(kFilePrefix.size());
    path.remove_suffix(kFileEnd.size());
    int64_t id = 0;
    const auto [end, failed] = std::from_chars(path.data(), path.data() + path.size(), id);
    if (failed != std::errc() || end != path.data() + path.size()) return std::nullopt;
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(id);
    if (found == jobs_.end() || !found->second.is_done || now - found->second.job.made >= kFileHolds)
        return std::nullopt;
    return found->second.job;
}

void Jobs::reset() {
    const std::lock_guard lock(mutex_);
    jobs_.clear();
}

}  // namespace shaduf::sandbox::x_ads
