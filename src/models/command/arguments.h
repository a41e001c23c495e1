#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace shaduf::models {

// A flag of dbt's command line.
struct FlagSpec {
    enum class Kind : uint8_t {
        on_off,  // --name, --no-name
        one,     // --name VALUE
        many,    // --name VALUE VALUE ..., up to the next flag; may be given again
    };
    std::string_view name;
    Kind kind = Kind::on_off;
    std::string_view help = {};
    char letter = 0;
    std::string_view other_name = {};  // an older spelling
};
std::span<const FlagSpec> dbt_flags();

struct VerbSpec {
    std::string_view name;  // "source freshness"
    std::string_view summary;
    std::string_view other_name = {};
};
std::span<const VerbSpec> dbt_verbs();

// A command line of dbt's, word for word: flags before or behind the verb. A plain value.
struct DbtArguments {
    std::string verb;                // as it stands in dbt_verbs
    std::vector<std::string> words;  // positional ones behind the verb: the macro of run-operation
    std::map<std::string, std::vector<std::string>, std::less<>> values;  // by the name of the flag
    std::map<std::string, bool, std::less<>> switches;
    std::vector<std::string> line;  // as given

    bool has(std::string_view flag) const { return values.contains(flag) || switches.contains(flag); }
    bool is_on(std::string_view flag, bool fallback = false) const;
    std::string text(std::string_view flag) const;  // "" when not given
    std::vector<std::string> texts(std::string_view flag) const;
};

using Environment = std::function<std::optional<std::string>(const std::string&)>;

// invalid_config: an unknown flag or verb with the nearest right one, a value that is missing. Flags that are not given
// have the value of DBT_<FLAG>, if that is set.
Result<DbtArguments> parse_dbt_arguments(std::span<const std::string> words, const Environment& environment);

}  // namespace shaduf::models
