#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <vector>

#include "models/command/event_log.h"
#include "models/context/services.h"
#include "models/run/graph_run.h"

namespace shaduf::models {

// What became of one node, as a summary has it.
struct NodeOutcome {
    std::string unique_id;
    NodeStatus status;
    std::string message;
    double seconds;
};

// What people see of a command: lines as dbt prints them, warnings and errors apart; or, for programs, all of it as
// events, a line of JSON each. The file of the log has these events in any case. Thread-safe.
class Console final : public MessageSink, public GraphRunListener {
public:
    struct Options {
        bool is_quiet = false;  // errors only
        bool is_debug = false;
        bool prints = true;  // what print() says
        bool has_colors = false;
        LogFormat format = LogFormat::text;
        EventLevel level = EventLevel::info;  // of lines of JSON
        bool is_list = false;                 // what is printed is a list of resources
    };
    Console(std::ostream& out, std::ostream& errors) : out_(out), errors_(errors) {}
    // What is shown is without these. REQUIRES: before threads use it
    void hide(std::shared_ptr<const Secrets> secrets) { secrets_ = std::move(secrets); }
    // Told of each node that begins (`result` is nullptr), ends or is published, by the thread that runs it; `message`
    // is the result's, without secrets. REQUIRES: before threads use it
    using NodeWatcher = std::function<void(const Node& node, const NodeResult* result, const std::string& message)>;
    void watch(NodeWatcher watcher) { watcher_ = std::move(watcher); }
    // REQUIRES: before threads use it
    void set_options(const Options& options) { options_ = options; }
    EventLog& log() { return log_; }

    // Of interest to programs and the log alone: as text nobody sees it.
    void event(const Event& event);

    void message(Level level, const std::string& text) override;
    void print(const std::string& text) override;
    void started(const Node& node, size_t index, size_t total) override;
    void ended(const Node& node, const NodeResult& result, size_t index, size_t total) override;
    void published(const Node& node, const NodeResult& result) override;

    void line(const std::string& text);  // unless quiet
    // `shown`: the text for people, where it is another one.
    void line(const Event& event, std::string_view shown = {});
    void error(const std::string& text);  // always
    void error(const Event& event);
    std::vector<std::string> warnings() const;
    // "Done. PASS=5 WARN=0 ERROR=0 SKIP=0 NO-OP=0 TOTAL=5", after what failed, with the query to see it.
    void summary(const std::vector<NodeResult>& results, double seconds);
    // Of the last summary.
    const std::vector<NodeOutcome>& outcomes() const { return outcomes_; }

private:
    // True: told as JSON, or of a level that nobody asked for. REQUIRES: mutex_ is held
    bool tell(const Event& given);
    // Without secrets.
    std::string shown(std::string text) const;
    Event shown(Event event) const;
    std::string colored(std::string_view text, NodeStatus status) const;

    std::ostream& out_;
    std::ostream& errors_;
    Options options_;
    EventLog log_;
    std::map<std::string, std::string> started_at_;  // by unique id
    std::shared_ptr<const Secrets> secrets_;
    NodeWatcher watcher_;
    mutable std::mutex mutex_;
    std::vector<std::string> warnings_;
    std::vector<NodeOutcome> outcomes_;
};

}  // namespace shaduf::models
