#include "pipeline/lease.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/text.h"
#include "base/time.h"

namespace shaduf {
namespace {

std::string holder_of(int file) {
    std::array<char, 256> text{};
    const ssize_t length = ::pread(file, text.data(), text.size(), 0);
    return length > 0 ? std::string(trim({text.data(), static_cast<size_t>(length)})) : "an unknown process";
}

Error file_error(const std::string& path) {
    const auto kind = errno == ENOSPC || errno == EDQUOT ? ErrorKind::exhausted : ErrorKind::invalid_config;
    return Error(kind, "cannot write the lock file " + path + ": " + std::strerror(errno));
}

// Pipelines' names may hold anything; file names may not.
std::string file_name(const std::string& name) {
    std::string safe;
    for (const char c : name) {
        const bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        safe += plain ? std::string(1, c) : "%" + std::to_string(static_cast<unsigned char>(c));
    }
    return safe + ".lock";
}

}  // namespace

Result<Lease> Lease::take(const std::string& folder, const std::string& name) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    const std::string path = folder + "/" + file_name(name);
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0) return file_error(path);
    Lease lease(file);
    if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return file_error(path);
        return Error(ErrorKind::conflict, "pipeline is being run already: " + name + ", by " + holder_of(file) +
                                              "; wait for it, or stop it");
    }
    const std::string holder =
        "process " + std::to_string(::getpid()) + " since " + format_timestamp(SystemClock().now()) + "\n";
    const auto length = static_cast<ssize_t>(holder.size());
    if (::ftruncate(file, 0) != 0 || ::pwrite(file, holder.data(), holder.size(), 0) != length) return file_error(path);
    return lease;
}

Lease::Lease(Lease&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

Lease& Lease::operator=(Lease&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
}

Lease::~Lease() {
    if (file_ >= 0) ::close(file_);
}

}  // namespace shaduf
