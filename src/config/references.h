#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace shaduf {

// What ${...} stands for in a project:
//   ${env:NAME}             a variable of the process, else of .env.<environment>, else of .env
//   ${env:NAME:-fallback}   the same, or the fallback when it is not set
//   ${secret:name}          SHADUF_SECRET_<NAME>, else the file .secrets/<name>, which only its owner may read
// "$${" is a plain "${". Values of .env files may refer to variables in turn. Immutable once loaded; thread-safe.
class References {
public:
    using Variable = std::function<std::optional<std::string>(const std::string& name)>;

    References(std::string folder, Variable variable) : folder_(std::move(folder)), variable_(std::move(variable)) {}

    // Reads .env and .env.<environment>, where they are there.
    std::vector<Error> load_env_files(const std::string& environment);

    // invalid_config, at `place`, for what is not set, not readable, or refers to itself.
    Result<std::string> resolve(std::string_view text, const Place& place) const;
    // nullopt when there is none of that name.
    Result<std::optional<std::string>> find_secret(const std::string& name) const;

private:
    struct FileVariable {
        std::string value;
        bool literal = false;  // in single quotes
        Place place;
    };

    Result<std::string> replace(std::string_view text, std::vector<std::string>& open) const;
    Result<std::string> look_up(std::string_view reference, std::vector<std::string>& open) const;
    Result<std::optional<std::string>> find_variable(const std::string& name, std::vector<std::string>& open) const;
    Result<std::string> get_secret(const std::string& name) const;
    void read_line(std::string_view line, const Place& place, std::vector<Error>& errors);

    std::string folder_;
    Variable variable_;
    std::string env_file_ = ".env";  // the one to name in errors
    std::map<std::string, FileVariable> variables_;
};

}  // namespace shaduf
