#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"
#include "config/project.h"
#include "connectors/connector.h"

namespace shaduf {

// Texts that nobody may read in a log. Filled by one thread, then immutable; thread-safe from then on.
class Redaction {
public:
    // Shorter ones would hide half of what is said.
    static constexpr size_t kBytesMin = 4;

    void add(std::string_view secret);
    // What the fields that are marked so hold, in connections of the project.
    void add_connections(const Project& project, const Registry<ConnectorSpec>& connectors);
    // Resolves references as `resolve` does, and takes those to secrets down: ${secret:...}, and ${env:...} of a name
    // that speaks of a password, a secret, a token, a key or a DSN. Outlived by this.
    ValueResolver watch(ValueResolver resolve);

    std::string apply(std::string_view text) const;

private:
    std::vector<std::string> secrets_;  // the longest first
};

}  // namespace shaduf
