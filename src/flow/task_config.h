#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "flow/run_rows.h"
#include "jinja/value.h"

namespace shaduf {

class Cancellation;

// TaskSpec::config: what its type is told, and whether and how often it runs. As JSON:
//   {"if": "inputs.country == 'CH'", "for_each": {"items": [...] or "{{ ... }}", "parallel": 2}, "options": {...}}
struct TaskConfig {
    std::string condition;              // a Jinja expression; "": none
    std::optional<jinja::Value> items;  // a list, or a template that gives one
    int64_t parallel = 1;
    jinja::Value options = jinja::Value::none();  // of the type, with templates and references as written

    static Result<TaskConfig> from_json(std::string_view text);
    std::string to_json() const;
};

// What templates of a task see: run.id, flow, due, interval.begin, interval.end (ISO 8601, UTC), inputs.<name>,
// outputs.<task>.<name>, and in a for_each item and index.
struct TemplateValues {
    std::string run;
    std::string flow;
    Timestamp due{};
    Interval about{};
    std::string inputs;   // JSON
    std::string outputs;  // JSON
};

// Renders texts of a task. One thread.
class TaskTemplates {
public:
    // bad_data: the inputs or outputs are no JSON.
    static Result<TaskTemplates> create(const TemplateValues& values);
    void set_item(jinja::Value item, int64_t index);

    // All texts in it. One that is nothing but {{ an expression }} becomes its value. What templates insert is never
    // taken for a reference: ${...} is one only where the file itself has it. invalid_config: what is wrong, and where
    // in the options.
    Result<jinja::Value> render(const jinja::Value& value, const Cancellation& cancellation) const;
    Result<bool> holds(const std::string& condition, const Cancellation& cancellation) const;

private:
    TaskTemplates() = default;
    std::map<std::string, jinja::Value, std::less<>> names_;
};

// Of a text in a file: whether it is a template that can be compiled.
std::vector<Error> check_templates(const jinja::Value& value);
Result<void> check_condition(const std::string& condition);

}  // namespace shaduf
