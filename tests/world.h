#pragma once

#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "base/rate_ledger.h"
#include "base/run_context.h"
#include "base/run_events.h"
#include "tests/io/fake_http.h"

namespace shaduf {

// A clock that moves only when someone sleeps on it; nobody waits for real. Starts at 2026-01-02T03:04:05Z.
class FakeClock final : public Clock {
public:
    Timestamp now() const override {
        std::lock_guard lock(mutex_);
        return start_ + std::chrono::duration_cast<std::chrono::microseconds>(passed_);
    }
    std::chrono::steady_clock::time_point steady_now() const override {
        std::lock_guard lock(mutex_);
        return std::chrono::steady_clock::time_point(std::chrono::hours(1) + passed_);
    }
    bool sleep(std::chrono::nanoseconds duration, const Cancellation& cancellation) override {
        if (cancellation.canceled()) return false;
        std::lock_guard lock(mutex_);
        passed_ += duration;
        slept_.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(duration));
        return true;
    }
    // Moves on without anyone sleeping.
    void advance(std::chrono::nanoseconds duration) {
        std::lock_guard lock(mutex_);
        passed_ += duration;
    }
    std::vector<std::chrono::milliseconds> slept() const {
        std::lock_guard lock(mutex_);
        return slept_;
    }

private:
    mutable std::mutex mutex_;
    const Timestamp start_{std::chrono::seconds(1'767'323'045)};
    std::chrono::nanoseconds passed_{0};
    std::vector<std::chrono::milliseconds> slept_;
};

// Keeps what it is told, as "place: text".
class RecordingEvents final : public RunEvents {
public:
    void message(Severity, std::string_view place, std::string_view text) override {
        std::lock_guard lock(mutex_);
        messages_.push_back(std::string(place) + ": " + std::string(text));
    }
    std::vector<std::string> messages() const {
        std::lock_guard lock(mutex_);
        return messages_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> messages_;
};

// A whole RunContext of fakes. For tests that need no database; one that does gives its own.
class World {
public:
    World() : World(*reinterpret_cast<DuckDbInstances*>(no_databases_)) {}
    explicit World(DuckDbInstances& databases) : run{clock, cancellation, http, databases, events, shared, *rates} {}

    FakeClock clock;
    Cancellation cancellation;
    FakeHttp http;
    RecordingEvents events;
    SharedValues shared;
    std::unique_ptr<RateLedger> rates = make_memory_ledger();
    RunContext run;

private:
    alignas(64) char no_databases_[64] = {};  // an address that is never looked at
};

// A folder of its own, removed with all that is in it.
class TempFolder {
public:
    TempFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "shaduf-test-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }
    std::string operator/(std::string_view name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

}  // namespace shaduf
