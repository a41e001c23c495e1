#include "io/reach.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace shaduf {
namespace {

constexpr std::chrono::milliseconds kPollStep{200};  // how late a cancellation is seen

struct FreeAddresses {
    void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> look_up(const std::string& host, const std::string& port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int code = ::getaddrinfo(host.c_str(), port.empty() ? nullptr : port.c_str(), &hints, &list);
    if (code == 0) return Addresses(list);
    return Error(ErrorKind::unavailable,
                 "host not found: " + host + ": " + ::gai_strerror(code) + "; check its name, and the network");
}

// 0 when it is connected, else the error.
int connect_to(const addrinfo& address, std::chrono::steady_clock::time_point until, const Cancellation& cancellation) {
    const int fd = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return errno;
    int error = ::connect(fd, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
    while (error == EINPROGRESS) {
        pollfd waits{fd, POLLOUT, 0};
        const int ready = ::poll(&waits, 1, static_cast<int>(kPollStep.count()));
        if (ready > 0) {
            socklen_t size = sizeof error;
            ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
            break;
        }
        if (cancellation.canceled()) error = ECANCELED;
        if (std::chrono::steady_clock::now() >= until) error = ETIMEDOUT;
    }
    ::close(fd);
    return error;
}

}  // namespace

Result<std::vector<std::string>> resolve_host(const std::string& host) {
    const auto addresses = TRY(look_up(host, ""));
    std::vector<std::string> found;
    for (const addrinfo* at = addresses.get(); at != nullptr; at = at->ai_next) {
        std::array<char, NI_MAXHOST> text{};
        if (::getnameinfo(at->ai_addr, at->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0)
            continue;
        if (std::find(found.begin(), found.end(), text.data()) == found.end()) found.emplace_back(text.data());
    }
    return found;
}

Result<void> reach_port(const std::string& host, int port, std::chrono::milliseconds limit,
                        const Cancellation& cancellation) {
    const auto addresses = TRY(look_up(host, std::to_string(port)));
    const auto until = std::chrono::steady_clock::now() + limit;
    int error = 0;
    for (const addrinfo* at = addresses.get(); at != nullptr; at = at->ai_next) {
        error = connect_to(*at, until, cancellation);
        if (error == 0) return {};
        if (error == ECANCELED) return cancellation.check();
    }
    return Error(ErrorKind::unavailable, "nothing answers at " + host + ":" + std::to_string(port) + ": " +
                                             std::strerror(error) + "; check host, port and firewall");
}

}  // namespace shaduf
