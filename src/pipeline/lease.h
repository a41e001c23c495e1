#pragma once

#include <string>

#include "base/result.h"

namespace shaduf {

// The right to run one pipeline of one project on this machine. Held by a lock on a file, which the kernel releases
// when the process ends, however it ends; so a killed run never leaves a lease behind. Movable; released when it goes
// away.
class Lease {
public:
    // `conflict` when another process (or another run of this one) holds it: the message names its process id and since
    // when.
    static Result<Lease> take(const std::string& folder, const std::string& name);

    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease();

private:
    explicit Lease(int file) : file_(file) {}
    int file_ = -1;
};

}  // namespace shaduf
