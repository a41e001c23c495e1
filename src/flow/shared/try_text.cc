#include "flow/shared/try_text.h"

#include <array>
#include <nlohmann/json.hpp>

namespace shaduf::shared {
namespace {

using How = TaskEnd::How;
constexpr auto kHows = std::to_array<std::pair<How, const char*>>({{How::succeeded, "succeeded"},
                                                                   {How::warned, "warned"},
                                                                   {How::skipped, "skipped"},
                                                                   {How::failed, "failed"},
                                                                   {How::failed_for_good, "failed_for_good"},
                                                                   {How::stopped, "stopped"},
                                                                   {How::lost, "lost"}});

}  // namespace

std::string to_text(const TaskEnd& end) {
    nlohmann::json json = {{"why", end.why}, {"outputs", end.outputs}};
    for (const auto& [how, name] : kHows) {
        if (how == end.how) json["how"] = name;
    }
    if (end.retry_after) json["retry_after_ms"] = end.retry_after->count();
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<TaskEnd> read_end(TaskEnd end, std::string_view text) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    const std::string name = json.is_object() ? json.value("how", "") : "";
    for (const auto& [how, known] : kHows) {
        if (name != known) continue;
        end.how = how;
        end.why = json.value("why", "");
        end.outputs = json.value("outputs", "");
        const int64_t wait = json.value("retry_after_ms", int64_t{-1});
        if (wait >= 0) end.retry_after = std::chrono::milliseconds(wait);
        return end;
    }
    return Error(ErrorKind::internal, "a worker told an end that this version does not know: " +
                                          std::string(text.substr(0, 100)) + "; upgrade all processes to one version");
}

}  // namespace shaduf::shared
