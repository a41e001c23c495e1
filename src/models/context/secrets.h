#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "jinja/value.h"

namespace shaduf::models {

// Values that are never shown: of environment variables DBT_ENV_SECRET_* that were asked for, and of --vars of such
// names. Thread-safe.
class Secrets {
public:
    static bool is_secret_name(std::string_view name) { return name.starts_with("DBT_ENV_SECRET"); }
    // Blanks alone are none.
    void add(std::string_view value);
    // With "*****" where a secret was.
    std::string scrub(std::string text) const;
    // The same of all texts in a value.
    jinja::Value scrub_texts(const jinja::Value& value) const;

private:
    mutable std::mutex mutex_;
    std::vector<std::string> values_;  // the longest first
};

}  // namespace shaduf::models
