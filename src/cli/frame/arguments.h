#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/command.h"

namespace shaduf {

// What the user gave a command, by its table of arguments. Asking for one that the table has not is a bug.
class Arguments {
public:
    bool has(std::string_view name) const { return values_.find(name) != values_.end(); }
    bool flag(std::string_view name) const { return has(name); }
    std::string text(std::string_view name) const;  // "" when not given and without a default
    std::vector<std::string> texts(std::string_view name) const;
    int64_t integer(std::string_view name, int64_t fallback) const;
    // invalid_config: not a number within these bounds, both of which are allowed.
    Result<int64_t> number(std::string_view name, int64_t least, int64_t most) const;

private:
    friend struct CommandLine;
    std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

// A whole call, parsed.
struct CommandLine {
    const CommandSpec* command = nullptr;  // nullptr: `message` is all there is to say
    Arguments arguments;
    std::string message;  // help, or what is wrong
    int status = 0;       // with a message: of the process

    static CommandLine parse(int argc, char** argv, const Registry<CommandSpec>& commands);
};

}  // namespace shaduf
