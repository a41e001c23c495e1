#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancellation.h"
#include "base/text.h"
#include "io/child_process.h"

namespace shaduf::models {

// The lines that a Python program prints, given `input`; nullopt when it ends with status 77 (a part is missing) or
// there is no such Python. Throws away nothing: any other end gives one line that says so.
inline std::optional<std::vector<std::string>> run_python(std::string_view program, std::string input,
                                                          const std::string& python = "/usr/bin/python3") {
    ChildCommand command;
    command.arguments = {python, "-c", std::string(program)};
    command.input = std::move(input);
    auto started = ChildProcess::start(command);
    if (!started.ok()) return std::nullopt;
    auto child = started.release_value();
    const Cancellation cancellation;
    BufferBuilder output;
    for (;;) {
        const auto outcome = child->read(cancellation, std::chrono::seconds(120), 1 << 20, output);
        if (!outcome.ok()) return std::vector{outcome.error().to_string()};
        if (outcome.value() != ChildProcess::Outcome::bytes) break;
    }
    const auto exit = child->wait(cancellation, std::chrono::seconds(20));
    if (!exit.ok()) return std::vector{exit.error().to_string()};
    if (exit.value().status == 77) return std::nullopt;
    if (!exit.value().ok()) return std::vector{exit.value().to_string() + ": " + child->error_tail()};
    const auto printed = output.finish();
    std::vector<std::string> lines;
    for (const auto line : split(printed->view(), '\n')) lines.emplace_back(line);
    if (!lines.empty() && lines.back().empty()) lines.pop_back();
    return lines;
}

}  // namespace shaduf::models
