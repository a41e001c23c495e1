#include "connectors/parts/checkpoint_parts.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/time.h"

namespace shaduf {
namespace {

using Json = nlohmann::ordered_json;

Error foreign(const Checkpoint& checkpoint) {
    constexpr size_t kShown = 80;
    return Error(ErrorKind::bad_data,
                 "checkpoint is not of a stream in parts: " + checkpoint.value().substr(0, kShown) +
                     "; set it anew with shaduf state, or write into another table");
}

std::optional<Timestamp> read_time(const std::string& text) {
    const auto parsed = parse_timestamp(text);
    if (!parsed) return std::nullopt;
    return Timestamp(std::chrono::microseconds(parsed->microseconds));
}

}  // namespace

Result<CheckpointParts> parse_parts(const std::optional<Checkpoint>& checkpoint) {
    CheckpointParts parts;
    if (!checkpoint) return parts;
    try {
        const Json json = Json::parse(checkpoint->value());
        for (const auto& [name, part] : json.at("parts").items()) {
            CheckpointPart read{part.at("at").get<std::string>()};
            if (part.contains("seen")) read.seen = read_time(part.at("seen").get<std::string>());
            parts[name] = std::move(read);
        }
    } catch (const std::exception&) {
        return foreign(*checkpoint);
    }
    return parts;
}

Checkpoint to_checkpoint(const CheckpointParts& parts) {
    Json object = Json::object();
    for (const auto& [name, part] : parts) {
        object[name] = {{"at", part.at}};
        if (part.seen) object[name]["seen"] = format_timestamp(*part.seen);
    }
    return Checkpoint(Json{{"parts", std::move(object)}}.dump());
}

Result<CheckpointParts> advance_parts(const CheckpointParts& stored, const CheckpointParts& known,
                                      const CheckpointParts& read) {
    const auto position = [](const CheckpointParts& parts, const std::string& name) {
        const auto found = parts.find(name);
        return found == parts.end() ? std::string() : found->second.at;
    };
    CheckpointParts next = stored;
    for (const auto& [name, part] : read) {
        const auto before = known.find(name);
        const bool has_moved = before == known.end() || before->second.at != part.at;
        if (!has_moved && position(stored, name) != part.at) continue;
        if (position(stored, name) != position(known, name)) {
            return Error(ErrorKind::conflict, "another process has read on: part " + name + " stands at " +
                                                  position(stored, name) + ", not at " + position(known, name) +
                                                  " where this one began; it goes on from there");
        }
        next[name] = part;
    }
    return next;
}

CheckpointParts known_after(const CheckpointParts& known, const CheckpointParts& read, const CheckpointParts& next) {
    CheckpointParts after = known;
    for (const auto& [name, part] : read) {
        const auto set = next.find(name);
        if (set != next.end() && set->second.at == part.at) after[name] = part;
    }
    return after;
}

std::optional<Timestamp> seen_of_all(const CheckpointParts& parts) {
    std::optional<Timestamp> least;
    for (const auto& [name, part] : parts) {
        if (!part.seen) return std::nullopt;
        least = least ? std::min(*least, *part.seen) : *part.seen;
    }
    return least;
}

}  // namespace shaduf
