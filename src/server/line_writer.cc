#include "server/line_writer.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/thread_name.h"

namespace shaduf::server {
namespace {

constexpr std::chrono::seconds kLeftWithin{2};

}  // namespace

struct LineWriter::State {
    State(std::ostream& stream, Dropped say) : out(stream), say_dropped(say) {}
    std::ostream& out;
    const Dropped say_dropped;
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> waiting;
    size_t dropped = 0;
    bool is_ending = false;
    bool has_ended = false;
};

LineWriter::LineWriter(std::ostream& out, Dropped dropped) : state_(std::make_shared<State>(out, dropped)) {
    std::thread([state = state_] { run(state); }).detach();
}

LineWriter::~LineWriter() {
    std::unique_lock lock(state_->mutex);
    state_->is_ending = true;
    state_->changed.notify_all();
    state_->changed.wait_for(lock, kLeftWithin, [&] { return state_->has_ended; });
}

void LineWriter::write(std::string line) {
    const std::lock_guard lock(state_->mutex);
    if (state_->waiting.size() >= kWaitingMax) {
        ++state_->dropped;
        return;
    }
    state_->waiting.push_back(std::move(line));
    state_->changed.notify_all();
}

void LineWriter::run(const std::shared_ptr<State>& state) {
    name_thread("log");
    std::unique_lock lock(state->mutex);
    for (;;) {
        state->changed.wait(lock, [&] { return !state->waiting.empty() || state->is_ending; });
        if (state->waiting.empty()) break;
        const auto lines = std::exchange(state->waiting, {});
        const size_t dropped = std::exchange(state->dropped, 0);
        lock.unlock();
        for (const std::string& line : lines) state->out << line << "\n";
        if (dropped > 0) state->out << state->say_dropped(dropped) << "\n";
        state->out << std::flush;
        lock.lock();
    }
    state->has_ended = true;
    state->changed.notify_all();
}

}  // namespace shaduf::server
