#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct ssl_st;
struct ssl_ctx_st;

namespace shaduf {

// What a server needs to speak TLS. Thread-safe.
using TlsContext = std::shared_ptr<ssl_ctx_st>;
// TLS 1.2 and newer, by a certificate (with its chain) and its key in files of PEM. invalid_config: they cannot be
// read, or do not belong together.
Result<TlsContext> make_tls_context(const std::string& certificate_file, const std::string& key_file);

// The bytes of one accepted connection, plain or by TLS, where every wait has an end. One thread.
class SocketWire {
public:
    using Moment = std::chrono::steady_clock::time_point;

    // Takes over the socket; `tls` may be null.
    SocketWire(int socket, const TlsContext& tls);
    ~SocketWire();
    SocketWire(const SocketWire&) = delete;
    SocketWire& operator=(const SocketWire&) = delete;

    // False: no TLS came about by then. Of a plain one nothing is to be done.
    bool shake_hands(Moment until);
    // How many bytes came, at least one; 0 and less: the connection has ended, or nothing came by then.
    ssize_t receive(char* out, size_t size, Moment until);
    // False: not all of it left by then.
    bool send(std::string_view bytes, Moment until);
    // Bytes have come that no poll of the socket tells of.
    bool has_pending() const;
    int socket() const { return socket_; }
    void reset();  // the connection ends at once, by RST

private:
    bool await(short events, Moment until) const;
    // What is to be waited for behind a call of TLS that gave `result`; 0: it failed.
    short wanted(int result) const;

    const int socket_;
    ssl_st* tls_ = nullptr;
    const TlsContext context_;
};

}  // namespace shaduf
