#pragma once

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "jinja/value.h"

namespace shaduf::models {

enum class EventLevel : uint8_t { debug, info, warn, error };
// debug, info, warn, error; nullopt: none of them.
std::optional<EventLevel> event_level(std::string_view name);

// Something that dbt's users read from its log, under dbt's name and code.
struct Event {
    std::string_view name, code;  // of static lifetime
    EventLevel level = EventLevel::info;
    std::string text;
    jinja::Value data = jinja::Value::none();  // a dict; none: {"msg": text}
};

enum class LogFormat : uint8_t { text, json };

// Events as lines, for other programs and for the file dbt.log. For one thread at a time.
class EventLog {
public:
    struct File {
        std::string path;
        LogFormat format = LogFormat::text;
        EventLevel level = EventLevel::debug;
        uint64_t bytes_max = 10 << 20;  // 0: no limit; what is over it moves to dbt.log.1 and so on, five in all
    };

    // The file is opened, and its folder made, with the first event; that it cannot be is told by no error: a run does
    // not fail for its log.
    void open(File file) { file_ = std::move(file); }
    void set_invocation_id(std::string id) { invocation_id_ = std::move(id); }

    void write(const Event& event);
    // {"data": {...}, "info": {...}}, as dbt's --log-format json.
    std::string json_line(const Event& event) const;

private:
    void open_file();
    void rotate();
    std::string text_line(const Event& event) const;

    std::string invocation_id_;
    std::optional<File> file_;
    std::ofstream out_;
    uint64_t bytes_ = 0;
};

// MainThread for the thread that asked first, "Thread-2 (worker)" and so on for others.
const std::string& thread_name();

}  // namespace shaduf::models
