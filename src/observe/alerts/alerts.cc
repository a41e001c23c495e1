#include "observe/alerts/alerts.h"

#include <algorithm>
#include <charconv>

#include "base/thread_name.h"
#include "flow/redaction.h"
#include "io/crypto.h"

namespace shaduf::observe {
namespace {

constexpr std::string_view kPrefix = "alert/";
constexpr std::string_view kAskPrefix = "alert_ask/";
constexpr std::chrono::seconds kAskedEvery{5};
constexpr std::chrono::seconds kTurnEvery{5};
constexpr size_t kToldMax = 50'000;

// Sorts by time, and tells processes apart.
std::string make_id(Timestamp now, uint64_t number, double random) {
    constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuv";
    std::string id(16, '0');
    auto value = static_cast<uint64_t>(now.time_since_epoch().count());
    for (size_t i = 11; i-- > 0; value >>= 5U) id[i] = kDigits[value & 31U];
    auto rest = static_cast<uint64_t>(random * (1U << 20U)) << 5U | (number & 31U);
    for (size_t i = 16; i-- > 11; rest >>= 5U) id[i] = kDigits[rest & 31U];
    return id;
}

void add_secrets(const AlertChannel& channel, Redaction& redaction) {
    for (const FieldSpec& field : channel.spec->fields) {
        if (!field.secret || !channel.options.has(field.name)) continue;
        if (field.type == FieldType::text) redaction.add(channel.options.text(field.name));
        if (field.type == FieldType::text_list) {
            for (const std::string& one : channel.options.text_list(field.name)) redaction.add(one);
        }
        if (field.type == FieldType::text_map) {
            for (const auto& [name, value] : channel.options.text_map(field.name)) redaction.add(value);
        }
    }
}

}  // namespace

SendOutcome send_through(Channel& channel, const AlertChannel& settings, RunContext& run, const AlertMessage& message) {
    SendOutcome outcome = channel.send(run, message);
    Redaction redaction;
    add_secrets(settings, redaction);
    outcome.note = redaction.apply(outcome.note);
    if (!outcome.error) return outcome;
    const Error& said = *outcome.error;
    Error error(said.kind(), redaction.apply(said.to_string()));
    if (const auto delay = said.retry_delay()) error = error.retry_after(*delay);
    outcome.error = said.may_retry() ? error : error.permanent();
    return outcome;
}

SendOutcome send_test(const AlertChannel& channel, const AlertSettings& settings, RunContext& run) {
    const auto way = channel.spec->make(channel.options);
    if (!way.ok()) return SendOutcome::failed(way.error(), false);
    const Timestamp now = run.clock.now();
    AlertMessage message;
    message.kind = MessageKind::test;
    message.incident = "test-" + make_id(now, 0, 0);
    message.project = settings.project;
    message.environment = settings.environment;
    message.severity = Severity::info;
    message.title = "A message of trial from shaduf; nothing is wrong";
    AlertLine line;
    line.text = "Whoever reads this is told of alerts by the channel " + channel.name + ".";
    message.lines.push_back(std::move(line));
    message.link = settings.url;
    message.began = now;
    message.at = now;
    return send_through(*way.value(), channel, run, message);
}

Alerts::Alerts(Parts parts, std::shared_ptr<const AlertSettings> settings)
    : parts_(std::move(parts)), settings_(std::move(settings)) {}

Alerts::~Alerts() { stop(); }

void Alerts::start() {
    const std::lock_guard lock(mutex_);
    is_started_ = true;
    clock_thread_ = std::thread([this] { run_clock(); });
    begin_senders();
}

void Alerts::begin_senders() {
    if (!is_started_ || is_stopped_) return;
    for (const AlertChannel& channel : settings_->channels) {
        Sender& sender = senders_[channel.name];
        if (sender.thread.joinable()) continue;
        sender.thread = std::thread([this, name = channel.name] { run_sender(name); });
    }
}

void Alerts::stop() {
    std::vector<std::thread> threads;
    {
        const std::lock_guard lock(mutex_);
        is_stopped_ = true;
        sending_.cancel();
        for (auto& [name, sender] : senders_) {
            if (sender.thread.joinable()) threads.push_back(std::move(sender.thread));
        }
        if (clock_thread_.joinable()) threads.push_back(std::move(clock_thread_));
        ++news_count_;
    }
    news_.notify_all();
    room_.notify_all();
    for (std::thread& thread : threads) thread.join();
}

void Alerts::set(std::shared_ptr<const AlertSettings> settings) {
    {
        const std::lock_guard lock(mutex_);
        settings_ = std::move(settings);
        if (book_ != nullptr) book_->set(settings_, parts_.world.clock.now());
        begin_senders();
        ++news_count_;
    }
    news_.notify_all();
}

std::shared_ptr<const AlertSettings> Alerts::settings() const {
    const std::lock_guard lock(mutex_);
    return settings_;
}

void Alerts::tell(Signal signal) {
    {
        std::unique_lock lock(mutex_);
        // Nobody comes here but threads that look for signals: they may wait for a store that is slow.
        room_.wait(lock, [&] { return told_.size() < kToldMax || is_stopped_ || !is_started_; });
        told_.push_back(std::move(signal));
        ++news_count_;
    }
    news_.notify_all();
}

Result<void> Alerts::settle() { return turn(); }

Result<void> Alerts::turn() {
    Result<void> done;
    {
        const std::lock_guard lock(mutex_);
        done = turn_locked();
        if (done.ok() == has_failed_) {
            has_failed_ = !done.ok();
            parts_.say(
                has_failed_ ? Severity::error : Severity::info,
                has_failed_ ? "alerts cannot be kept, and wait: " + done.error().to_string() : "alerts are kept again");
        }
    }
    room_.notify_all();
    return done;
}

Result<void> Alerts::turn_locked() {
    if (!parts_.leads()) {
        book_.reset();
        told_.clear();
        return {};
    }
    if (book_ == nullptr) TRY(take_lead());
    const Timestamp now = parts_.world.clock.now();
    for (const Signal& signal : told_) book_->tell(signal, now);
    told_.clear();
    TRY(take_asked(now));
    book_->tick(now);
    return keep();
}

Result<void> Alerts::take_lead() {
    std::map<std::string, std::string> kept;
    for (auto& [key, text] : TRY(parts_.store.values(std::string(kPrefix)))) {
        kept.emplace(key.substr(kPrefix.size()), std::move(text));
    }
    AlertBook::Sources sources{[this](Timestamp now) { return make_id(now, ++ids_, parts_.random()); }, parts_.random};
    book_ = std::make_unique<AlertBook>(std::move(sources), settings_);
    ++reign_;
    for (const Error& error : book_->load(kept)) parts_.say(Severity::warning, error.to_string());
    book_->set(settings_, parts_.world.clock.now());
    return {};
}

Result<void> Alerts::take_asked(Timestamp now) {
    if (asked_at_ != Timestamp{} && now - asked_at_ < kAskedEvery) return {};
    asked_at_ = now;
    for (const auto& [key, text] : TRY(parts_.store.values(std::string(kAskPrefix)))) {
        int64_t until = 0;
        std::from_chars(text.data(), text.data() + text.size(), until);
        const Timestamp time{std::chrono::microseconds(until)};
        (void)book_->mute(key.substr(kAskPrefix.size()), until == 0 ? std::nullopt : std::optional(time), now);
        TRY(keep());
        TRY(parts_.store.keep_value(key, std::nullopt));
    }
    return {};
}

// What is new first: the end of the process behind it leaves something twice rather than not at all.
Result<void> Alerts::keep() {
    const auto changes = book_->take_changes();
    if (changes.empty()) return {};
    std::optional<Error> failed;
    for (const bool is_forgotten : {false, true}) {
        for (const auto& [id, text] : changes) {
            if (text.has_value() == is_forgotten) continue;
            if (failed) {
                book_->not_kept(id);
                continue;
            }
            const auto kept = parts_.store.keep_value(std::string(kPrefix) + id, text);
            if (kept.ok()) continue;
            book_->not_kept(id);
            failed = kept.error();
        }
    }
    if (failed) return *failed;
    ++news_count_;
    news_.notify_all();
    parts_.changed();
    return {};
}

std::vector<std::string> Alerts::open_keys(std::string_view prefix) {
    const std::lock_guard lock(mutex_);
    return book_ == nullptr ? std::vector<std::string>() : book_->open_keys(prefix);
}

Alerts::Sender& Alerts::ready_sender(const AlertChannel& channel) {
    Sender& sender = senders_[channel.name];
    if (sender.settings == settings_ && sender.channel != nullptr) return sender;
    auto made = channel.spec->make(channel.options);
    sender.channel = made.ok() ? made.release_value() : nullptr;
    sender.settings = settings_;
    return sender;
}

bool Alerts::send_next(const std::string& name) {
    std::unique_lock lock(mutex_);
    if (book_ == nullptr || is_stopped_ || !parts_.leads()) return false;
    Clock& clock = parts_.world.clock;
    const auto settings = settings_;
    const auto due = book_->next_due(name, clock.now());
    if (!due) return false;
    const AlertChannel& channel = *settings->channel(name);
    Channel* const way = ready_sender(channel).channel.get();
    book_->begin_try(due->incident, name, clock.now());
    if (!keep().ok() || way == nullptr) {
        book_->drop_try(due->incident, name);
        return false;
    }
    const uint64_t reign = reign_;
    lock.unlock();
    const RunContext& world = parts_.world;
    RunContext run{world.clock, sending_, world.http, world.databases, world.events, world.shared, world.rates};
    const SendOutcome outcome = send_through(*way, channel, run, due->message);
    lock.lock();
    if (!outcome.is_delivered && !is_stopped_) {
        parts_.say(Severity::warning, "alert " + due->incident + " is not told by " + name + ": " +
                                          (outcome.error ? outcome.error->to_string() : ""));
    }
    if (book_ == nullptr || reign != reign_) return true;  // whoever leads now tells it again
    book_->end_try(due->incident, name, outcome, clock.now());
    (void)keep();  // what could not be kept is kept by the next turn
    return true;
}

std::chrono::nanoseconds Alerts::wait_of(const std::optional<Timestamp>& at) const {
    if (!at) return kTurnEvery;
    const std::chrono::nanoseconds left = *at - parts_.world.clock.now();
    return std::clamp<std::chrono::nanoseconds>(left, std::chrono::milliseconds(1), kTurnEvery);
}

void Alerts::run_clock() {
    name_thread("alerts");
    std::unique_lock lock(mutex_);
    while (!is_stopped_) {
        const uint64_t seen = news_count_;
        lock.unlock();
        const auto done = turn();
        lock.lock();
        const auto at = book_ == nullptr || !done.ok() ? std::nullopt : book_->wakes_at();
        news_.wait_for(lock, wait_of(at), [&] { return is_stopped_ || news_count_ != seen; });
    }
}

void Alerts::run_sender(const std::string& channel) {
    name_thread("alert channel");
    while (true) {
        while (send_next(channel)) continue;
        std::unique_lock lock(mutex_);
        if (is_stopped_) return;
        const auto at = book_ == nullptr ? std::nullopt : book_->due_at(channel, parts_.world.clock.now());
        const uint64_t seen = news_count_;
        news_.wait_for(lock, wait_of(at), [&] { return is_stopped_ || news_count_ != seen; });
    }
}

Result<std::vector<Alerts::Shown>> Alerts::list() {
    std::vector<Shown> shown;
    std::unique_lock lock(mutex_);
    const Timestamp now = parts_.world.clock.now();
    if (book_ != nullptr) {
        for (const auto& [id, incident] : book_->incidents()) {
            if (incident.state != IncidentState::pending) shown.push_back({incident, book_->is_mute(incident, now)});
        }
    } else {
        const auto settings = settings_;
        lock.unlock();
        for (const auto& [key, text] : TRY(parts_.store.values(std::string(kPrefix)))) {
            auto incident = incident_from_text(text);
            if (!incident.ok() || incident.value().state == IncidentState::pending) continue;
            const AlertRule* rule = settings->rule(incident.value().rule);
            const auto& until = incident.value().muted_until;
            const bool is_mute = (until && now < *until) || (rule != nullptr && rule->is_mute(now));
            shown.push_back({incident.release_value(), is_mute});
        }
    }
    std::sort(shown.begin(), shown.end(), [](const Shown& a, const Shown& b) { return a.incident.id > b.incident.id; });
    return shown;
}

Result<void> Alerts::mute(const std::string& id, std::optional<Timestamp> until) {
    {
        const std::lock_guard lock(mutex_);
        if (book_ != nullptr) {
            TRY(book_->mute(id, until, parts_.world.clock.now()));
            return keep();
        }
    }
    const auto kept = TRY(parts_.store.values(std::string(kPrefix) + id));
    if (!kept.contains(std::string(kPrefix) + id)) {
        return Error(ErrorKind::conflict, "no such alert: " + id + "; shaduf alerts ls shows those there are");
    }
    const int64_t micros = until ? until->time_since_epoch().count() : 0;
    return parts_.store.keep_value(std::string(kAskPrefix) + id, std::to_string(micros));
}

Result<SendOutcome> Alerts::test(const std::string& name, RunContext& run) const {
    const auto settings = this->settings();
    const AlertChannel* channel = settings->channel(name);
    if (channel == nullptr) {
        return Error(ErrorKind::invalid_config, "channel not found: " + name + "; it is not in alerts of shaduf.yml");
    }
    return send_test(*channel, *settings, run);
}

}  // namespace shaduf::observe
