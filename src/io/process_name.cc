#include "io/process_name.h"

#include <unistd.h>

#include <array>

namespace shaduf {

std::string process_name() {
    std::array<char, 256> host{};
    const bool has_name = ::gethostname(host.data(), host.size() - 1) == 0;
    return std::string(has_name ? host.data() : "?") + ":" + std::to_string(::getpid());
}

}  // namespace shaduf
