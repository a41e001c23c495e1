#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace shaduf::server {

// The values that ${secret:name} stands for: files of .secrets, which only their owner may read. They are written here
// and never read. Thread-safe.
class Secrets {
public:
    struct Info {
        std::string name;
        bool set = false;
        std::optional<Timestamp> changed_at;
        std::vector<std::string> used_by;  // "shaduf.yml: connections.crm"
    };

    explicit Secrets(std::string folder) : folder_(std::move(folder)) {}

    // Those that are set, and those that the project's YAML names; by name.
    Result<std::vector<Info>> list() const;
    // Whole or not at all; mode 600. invalid_config: no name of a secret, or too long a value.
    Result<void> write(const std::string& name, std::string_view value) const;

    static bool is_name(std::string_view name);

private:
    const std::string folder_;
};

// Names in ${secret:...} and ${env:...} of a text: "secret:crm_key", "env:SHOP_DSN".
std::vector<std::string> references_in(std::string_view text);

}  // namespace shaduf::server
