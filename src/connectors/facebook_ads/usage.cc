#include "connectors/facebook_ads/usage.h"

#include <algorithm>

#include "data/buffer.h"
#include "data/json_cursor.h"
#include "data/json_member.h"
#include "data/value_append.h"

namespace shaduf::facebook {
namespace {

// One object of numbers: which members are per cent, and which says when calls are allowed again.
struct Numbers {
    std::optional<double> percent;
    std::chrono::milliseconds regain{0};
};

void raise(std::optional<double>& to, std::optional<double> value) {
    if (value) to = std::max(to.value_or(0), *value);
}

bool is_percent(std::string_view name) {
    return name == "call_count" || name == "total_time" || name == "total_cputime" || name == "acc_id_util_pct" ||
           name == "app_id_util_pct";
}

bool read_numbers(JsonCursor& cursor, Numbers& numbers) {
    if (cursor.peek() != '{') return cursor.skip_value();
    return read_members(cursor, [&](std::string_view key) {
        const bool percent = is_percent(key);
        const bool minutes = key == "estimated_time_to_regain_access";
        const bool seconds = key == "reset_time_duration";
        std::string_view raw;
        if (!read_raw(cursor, raw)) return false;
        const auto value = parse_float(raw);
        if (!value || !(*value >= 0 && *value < 1e6)) return true;
        if (percent) raise(numbers.percent, value);
        if (minutes || seconds) {
            const auto unit = minutes ? std::chrono::milliseconds(60'000) : std::chrono::milliseconds(1'000);
            numbers.regain =
                std::max(numbers.regain, std::chrono::duration_cast<std::chrono::milliseconds>(unit * *value));
        }
        return true;
    });
}

// {"<business or account id>": [{...}, ...], ...}
bool read_business(JsonCursor& cursor, std::string_view account, Numbers& numbers) {
    if (cursor.peek() != '{') return cursor.skip_value();
    return read_members(cursor, [&](std::string_view key) {
        const bool is_ours = key == account;
        if (!is_ours || cursor.peek() != '[') return cursor.skip_value();
        bool closed = false;
        if (!cursor.enter(']', closed)) return false;
        if (closed) return true;
        while (!closed) {
            if (!read_numbers(cursor, numbers) || !cursor.next_item(']', closed)) return false;
        }
        cursor.leave();
        return true;
    });
}

template <typename Read>
Numbers read_header(const HttpResponse& response, std::string_view name, const Read& read) {
    Numbers numbers;
    const std::string_view text = response.header(name);
    if (text.empty()) return numbers;
    BufferBuilder bytes;
    bytes.append(text);
    const BufferPtr padded = bytes.finish();
    JsonCursor cursor(padded->view());
    cursor.skip_space();
    if (!read(cursor, numbers) || !cursor.finish()) return {};
    return numbers;
}

}  // namespace

Usage read_usage(const HttpResponse& response, std::string_view account) {
    const Numbers app = read_header(response, "x-app-usage", read_numbers);
    const Numbers one = read_header(response, "x-ad-account-usage", read_numbers);
    const Numbers reports = read_header(response, "x-fb-ads-insights-throttle", read_numbers);
    const Numbers business = read_header(response, "x-business-use-case-usage", [&](JsonCursor& cursor, Numbers& into) {
        return read_business(cursor, account, into);
    });
    Usage usage;
    usage.app = app.percent;
    usage.app_regain = app.regain;
    usage.account = one.percent;
    raise(usage.account, business.percent);
    usage.account_regain = business.regain;
    usage.account_reset = one.regain;
    usage.reports = reports.percent;
    return usage;
}

}  // namespace shaduf::facebook
