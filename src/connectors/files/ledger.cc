#include "connectors/files/ledger.h"

#include <cstring>
#include <nlohmann/json.hpp>

#include "io/crypto.h"

namespace shaduf::files {

uint64_t Ledger::fingerprint_of(const ObjectInfo& object) {
    const Sha256Digest digest = sha256(object.key + '\0' + std::to_string(object.size) + '\0' + object.etag);
    uint64_t fingerprint;
    std::memcpy(&fingerprint, digest.data(), sizeof fingerprint);
    return fingerprint;
}

Result<Ledger> Ledger::parse(const Checkpoint& checkpoint) {
    const Error refused(ErrorKind::bad_data,
                        "checkpoint is not one of the files connector; `shaduf state reset` begins anew");
    try {
        const auto json = nlohmann::json::parse(checkpoint.value());
        Ledger ledger;
        auto decoded = from_base64(json.at("done").get<std::string>());
        if (!decoded.ok()) return refused;
        const std::string bytes = decoded.release_value();
        if (bytes.size() % sizeof(uint64_t) != 0) return refused;
        for (size_t at = 0; at < bytes.size(); at += sizeof(uint64_t)) {
            uint64_t fingerprint;
            std::memcpy(&fingerprint, bytes.data() + at, sizeof fingerprint);
            ledger.done_.insert(fingerprint);
        }
        if (json.contains("reading")) {
            const auto& reading = json["reading"];
            ledger.reading_ = {reading.at("file"), reading.at("fingerprint"), reading.at("offset"), reading.at("line")};
        }
        return ledger;
    } catch (const std::exception&) {
        return refused;
    }
}

void Ledger::finish(uint64_t fingerprint) {
    done_.insert(fingerprint);
    done_text_.clear();
    reading_.reset();
}

Checkpoint Ledger::to_checkpoint() const {
    if (done_text_.empty() && !done_.empty()) {
        std::string bytes;
        for (const uint64_t fingerprint : done_)
            bytes.append(reinterpret_cast<const char*>(&fingerprint), sizeof fingerprint);
        done_text_ = to_base64(bytes);
    }
    nlohmann::ordered_json json = {{"done", done_text_}};
    if (reading_) {
        json["reading"] = {{"file", reading_->key},
                           {"fingerprint", reading_->fingerprint},
                           {"offset", reading_->offset},
                           {"line", reading_->line}};
    }
    return Checkpoint(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace shaduf::files
