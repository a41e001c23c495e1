#include "observe/emit/run_identity.h"

#include "io/crypto.h"

namespace shaduf::observe {
namespace {

std::string digest_of(std::string_view kind, std::string_view what) {
    return to_hex(sha256("shaduf " + std::string(kind) + " " + std::string(what)));
}

}  // namespace

std::string uuid_of(std::string_view what) {
    std::string hex = digest_of("uuid", what).substr(0, 32);
    hex[12] = '8';
    constexpr std::string_view kVariants = "89ab";
    hex[16] = kVariants[static_cast<size_t>(hex[16]) % kVariants.size()];
    return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
           hex.substr(20);
}

std::string trace_id_of(std::string_view what) { return digest_of("trace", what).substr(0, 32); }
std::string span_id_of(std::string_view what) { return digest_of("span", what).substr(0, 16); }

}  // namespace shaduf::observe
