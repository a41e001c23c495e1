#include "io/socket_wire.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace shaduf {
namespace {

Error tls_error(const std::string& what, const std::string& file) {
    std::array<char, 256> text{};
    ERR_error_string_n(ERR_get_error(), text.data(), text.size());
    ERR_clear_error();
    return Error(ErrorKind::invalid_config, what + ": " + file + ": " + text.data() + "; give files in PEM");
}

int millis_until(SocketWire::Moment until) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    return static_cast<int>(std::clamp<int64_t>(left, 0, 3'600'000));
}

}  // namespace

Result<TlsContext> make_tls_context(const std::string& certificate_file, const std::string& key_file) {
    const TlsContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    if (context == nullptr) return tls_error("cannot set up TLS", certificate_file);
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1) {
        return tls_error("cannot use the certificate", certificate_file);
    }
    if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
        return tls_error("cannot use the certificate's key", key_file);
    }
    if (SSL_CTX_check_private_key(context.get()) != 1) return tls_error("the key is of another certificate", key_file);
    return context;
}

SocketWire::SocketWire(int socket, const TlsContext& tls) : socket_(socket), context_(tls) {
    if (context_ == nullptr) return;
    ::fcntl(socket_, F_SETFL, ::fcntl(socket_, F_GETFL) | O_NONBLOCK);
    tls_ = SSL_new(context_.get());
    if (tls_ != nullptr) SSL_set_fd(tls_, socket_);
}

SocketWire::~SocketWire() {
    if (tls_ != nullptr) SSL_free(tls_);
    ::close(socket_);
}

bool SocketWire::await(short events, Moment until) const {
    pollfd file{socket_, events, 0};
    int ready = -1;
    do {
        ready = ::poll(&file, 1, millis_until(until));
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

short SocketWire::wanted(int result) const {
    const int error = SSL_get_error(tls_, result);
    ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ) return POLLIN;
    return error == SSL_ERROR_WANT_WRITE ? POLLOUT : short{0};
}

bool SocketWire::shake_hands(Moment until) {
    if (context_ == nullptr) return true;
    if (tls_ == nullptr) return false;
    for (;;) {
        const int result = SSL_accept(tls_);
        if (result == 1) return true;
        const short events = wanted(result);
        if (events == 0 || !await(events, until)) return false;
    }
}

ssize_t SocketWire::receive(char* out, size_t size, Moment until) {
    if (tls_ == nullptr) return await(POLLIN, until) ? ::recv(socket_, out, size, 0) : -1;
    for (;;) {
        const int result = SSL_read(tls_, out, static_cast<int>(std::min<size_t>(size, 1U << 30U)));
        if (result > 0) return result;
        const short events = wanted(result);
        if (events == 0 || !await(events, until)) return -1;
    }
}

bool SocketWire::send(std::string_view bytes, Moment until) {
    while (!bytes.empty()) {
        ssize_t count = 0;
        short events = POLLOUT;
        if (tls_ == nullptr) {
            count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (count < 0 && errno != EINTR && errno != EAGAIN) return false;
        } else {
            const int result =
                SSL_write(tls_, bytes.data(), static_cast<int>(std::min<size_t>(bytes.size(), 1U << 30U)));
            count = result;
            if (result <= 0 && (events = wanted(result)) == 0) return false;
        }
        if (count > 0) {
            bytes.remove_prefix(static_cast<size_t>(count));
        } else if (!await(events, until)) {
            return false;
        }
    }
    return true;
}

bool SocketWire::has_pending() const { return tls_ != nullptr && SSL_pending(tls_) > 0; }

void SocketWire::reset() {
    const linger at_once{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace shaduf
