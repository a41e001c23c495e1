#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "base/cancellation.h"
#include "flow/scheduler.h"
#include "flow/shared/sessions.h"

namespace shaduf::shared {

// A process's hands: takes tries that are on offer, has them run by a TaskRunner, and leaves their ends for the leader.
//
// It holds a lease (shaduf.worker), renewed by its thread. When it could not renew it in time, others may have its
// tries by now: then it stops them, and joins anew under another id. The same for a single try that is not its own any
// more. What tries write must bear that a try which was taken for lost goes on for a moment: the commits of pipelines
// do, as they are bound to where the sink stands.
class Worker {
public:
    struct Settings {
        std::string name;     // of the process, for people
        std::string version;  // of the program
        size_t places = 16;   // tries at the same time
        std::chrono::milliseconds lease{10'000};
        std::chrono::milliseconds look_every{1'000};  // when nobody calls
    };
    // The definition of a flow's revision; nullptr: it cannot be made.
    using Definition = std::function<FlowPtr(const std::string& flow, const std::string& revision)>;

    // `runner` must tell `ended` of each try that it was told to start; it outlives this object, as does `sessions`.
    Worker(std::string dsn, Sessions& sessions, TaskRunner& runner, Definition definition, Settings settings);
    // Stops its tries, leaves what ended so far, and gives the lease back: what did not end is lost at once.
    ~Worker();

    // By the runner, once for each try; from any thread.
    void ended(TaskEnd end);
    // Takes no more tries; true when none is left, false when `within` has passed before.
    bool drain(std::chrono::milliseconds within);
    std::string id() const;

private:
    using Key = std::tuple<RunId, TaskIndex, int>;
    struct Own {
        bool was_stopped = false;
        bool is_ours = true;  // false: nobody waits for its end
    };
    struct Report {
        std::string worker;
        TaskEnd end;
    };

    void work();    // joins, renews, takes
    void report();  // tells ends
    void guard();   // ends what is not its own any more, without asking anybody
    Result<void> listen();
    Result<void> join();
    Result<bool> renew();  // false: the lease was lost
    Result<void> look_after_own();
    Result<void> take();
    Result<void> tell(const std::vector<Report>& ends);
    void begin(const TaskStart& start);
    void give_up(const std::string& why);

    const std::string dsn_;
    Sessions& sessions_;
    TaskRunner& runner_;
    const Definition definition_;
    const Settings settings_;
    Cancellation stop_;
    std::mutex asking_;  // one at a time asks for its tries, or for more; before mutex_
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::string id_;                                   // "": it holds no lease
    std::chrono::steady_clock::time_point granted_{};  // when the lease was asked for that it holds
    bool is_draining_ = false;
    bool is_ending_ = false;
    std::map<Key, Own> running_;
    std::vector<Report> ends_;                                            // not told yet
    std::map<std::pair<std::string, std::string>, FlowPtr> definitions_;  // by asking_
    std::thread worker_;
    std::thread reporter_;
    std::thread guard_;
};

}  // namespace shaduf::shared
