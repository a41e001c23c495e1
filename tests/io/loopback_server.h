#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace shaduf {

// A real socket on a free port of loopback, for what a scripted transport cannot play: bytes that stop or lie. One
// thread, one connection at a time; `serve` gets each request's head (and what came of its body) and the socket, and
// says whether the connection is kept.
class LoopbackServer {
public:
    enum class After { keep, close, reset };
    using Serve = std::function<After(const std::string& request, int socket)>;

    explicit LoopbackServer(Serve serve) : serve_(std::move(serve)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
        ::listen(listener_, 16);
        socklen_t size = sizeof address;
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { accept_all(); });
    }
    ~LoopbackServer() {
        stopping_ = true;
        ::shutdown(listener_, SHUT_RDWR);
        {
            std::lock_guard lock(mutex_);
            if (connection_ >= 0) ::shutdown(connection_, SHUT_RDWR);
        }
        thread_.join();
        ::close(listener_);
    }

    std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
    int connections() const { return connections_; }
    std::vector<std::string> requests() const {
        std::lock_guard lock(mutex_);
        return requests_;
    }

    static void write(int socket, std::string_view bytes) {
        while (!bytes.empty()) {
            const auto written = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (written <= 0) return;
            bytes.remove_prefix(static_cast<size_t>(written));
        }
    }
    // Blocks until the other side goes away.
    static void wait_for_end(int socket) {
        char byte = 0;
        while (::recv(socket, &byte, 1, 0) > 0) {
        }
    }

private:
    void accept_all() {
        while (!stopping_) {
            const int connection = ::accept(listener_, nullptr, nullptr);
            if (connection < 0) return;
            {
                std::lock_guard lock(mutex_);
                connection_ = connection;
            }
            ++connections_;
            After after = After::keep;
            while (after == After::keep && !stopping_) {
                const std::string request = read_request(connection);
                if (request.empty()) break;
                {
                    std::lock_guard lock(mutex_);
                    requests_.push_back(request);
                }
                after = serve_(request, connection);
            }
            {
                std::lock_guard lock(mutex_);
                connection_ = -1;
            }
            if (after == After::reset) {
                const linger at_once{1, 0};
                ::setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
            }
            ::close(connection);
        }
    }

    // The head and a body of the announced length.
    static std::string read_request(int socket) {
        std::string request;
        char bytes[4096];
        size_t wanted = std::string::npos;
        while (wanted == std::string::npos || request.size() < wanted) {
            const auto got = ::recv(socket, bytes, sizeof bytes, 0);
            if (got <= 0) return request;
            request.append(bytes, static_cast<size_t>(got));
            const auto head_end = request.find("\r\n\r\n");
            if (wanted != std::string::npos || head_end == std::string::npos) continue;
            wanted = head_end + 4;
            const auto length = request.find("Content-Length: ");
            if (length < head_end) wanted += std::strtoul(request.c_str() + length + 16, nullptr, 10);
        }
        return request;
    }

    Serve serve_;
    int listener_ = -1;
    int port_ = 0;
    std::atomic<bool> stopping_{false};
    std::atomic<int> connections_{0};
    mutable std::mutex mutex_;
    int connection_ = -1;
    std::vector<std::string> requests_;
    std::thread thread_;
};

}  // namespace shaduf
