#include "flow/shared/leadership.h"

#include <charconv>

#include "base/thread_name.h"

namespace shaduf::shared {
namespace {

int64_t number_of(const std::optional<std::string>& text) {
    int64_t number = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
}

std::string interval_of(std::chrono::milliseconds time) { return std::to_string(time.count()) + " milliseconds"; }

}  // namespace

Leadership::Leadership(Sessions& sessions, Settings settings, Changed changed)
    : sessions_(sessions), settings_(std::move(settings)), changed_(std::move(changed)), thread_([this] { run(); }) {}

Leadership::~Leadership() {
    stop_.cancel();
    thread_.join();
    const auto own = token();
    if (!own) return;
    set(std::nullopt);
    auto session = sessions_.lend();
    if (!session.ok()) return;
    static_cast<void>(session.value()->query(
        "UPDATE shaduf.leader SET until = '-infinity', holder = '' WHERE token = $1::bigint", {std::to_string(*own)}));
}

std::optional<int64_t> Leadership::token() const {
    const std::lock_guard lock(mutex_);
    return token_;
}

std::string Leadership::holder() const {
    const std::lock_guard lock(mutex_);
    return holder_;
}

void Leadership::lost(int64_t token) {
    {
        const std::lock_guard lock(mutex_);
        if (token_ != token) return;
    }
    set(std::nullopt);
}

void Leadership::set(std::optional<int64_t> token) {
    {
        const std::lock_guard lock(mutex_);
        if (token_ == token) return;
        token_ = token;
    }
    changed_(token);
}

Result<std::optional<int64_t>> Leadership::take_or_renew() {
    Sessions::Loan session = TRY(sessions_.lend());
    const auto own = token();
    const std::string lease = interval_of(settings_.lease);
    if (own) {
        const auto renewed = TRY(
            session->query("UPDATE shaduf.leader SET until = clock_timestamp() + $2::interval WHERE token = $1::bigint",
                           {std::to_string(*own), lease}));
        if (renewed.affected == 1) return own;
    }
    const auto taken = TRY(session->query(
        "UPDATE shaduf.leader SET holder = $1, token = token + 1, until = clock_timestamp() + $2::interval, step = 0 "
        "WHERE until < clock_timestamp() RETURNING token",
        {settings_.holder, lease}));
    const auto now = TRY(session->query("SELECT holder FROM shaduf.leader WHERE until >= clock_timestamp()"));
    const std::lock_guard lock(mutex_);
    holder_ = now.rows.empty() ? "" : now.rows[0][0].value_or("");
    return taken.rows.empty() ? std::nullopt : std::optional(number_of(taken.rows[0][0]));
}

void Leadership::run() {
    name_thread("leadership");
    do {
        const auto asked = std::chrono::steady_clock::now();
        auto led = take_or_renew();
        if (led.ok()) {
            renewed_ = asked;
            // A lease that was lost and taken again is another one: what was decided under the old one is void.
            const auto own = token();
            if (own && led.value() != own) set(std::nullopt);
            set(led.value());
        } else if (std::chrono::steady_clock::now() - renewed_ > settings_.lease) {
            set(std::nullopt);  // another one may have it by now
        }
    } while (stop_.wait_for(settings_.look_every));
}

}  // namespace shaduf::shared
