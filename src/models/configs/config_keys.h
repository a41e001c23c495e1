#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "models/configs/config_merge.h"
#include "models/project/findings.h"

namespace shaduf::models {

// Keys of configs that neither dbt nor an adapter knows: dbt keeps them for templates, so that a slip of the pen does
// nothing. Each is told once a file. Thread-safe while keys are noted.
class ConfigKeys {
public:
    // The keys of one `config:` or of config() calls. `code`: the text with the calls, if there is one. `line`: that of
    // the file where the code, or the resource, begins; it stands for lines that the source does not know.
    void note(ConfigResource resource, const ConfigSource& source, std::string_view code, size_t line);
    // Those of dbt_project.yml.
    void note_project(const Project& project);
    // Whether nothing was noted that would be told of.
    bool all_known() const { return unknown_.empty(); }
    // `is_read`: whether a template of the project asks for that key, which is no slip then.
    void warn(const std::function<bool(std::string_view key)>& is_read, Findings& findings) const;

private:
    struct Unknown {
        ConfigResource resource;
        int line;
    };
    void note(ConfigResource resource, std::string_view key, const std::string& file, size_t line);
    void note_levels(ConfigResource resource, const YamlNode& level, const std::string& file);

    std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, Unknown> unknown_;  // by file and key
};

}  // namespace shaduf::models
