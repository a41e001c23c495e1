#include "connectors/kafka/schema_finder.h"

#include "connectors/kafka/wire_frame.h"
#include "io/crypto.h"

namespace shaduf::kafka {
namespace {

// How long a schema that the registry does not have is not asked for again.
constexpr auto kMissingFor = std::chrono::seconds(30);
constexpr size_t kIndexesMax = 64;

// Bytes of the numbers behind the frame: how many there are, and each; nullopt when they are none.
std::optional<size_t> size_of_indexes(std::string_view bytes) {
    size_t at = 0;
    const auto next = [&]() -> std::optional<uint64_t> {
        uint64_t value = 0;
        for (unsigned shift = 0; shift < 35 && at < bytes.size(); shift += 7) {
            const auto byte = static_cast<uint8_t>(bytes[at++]);
            value |= static_cast<uint64_t>(byte & 0x7F) << shift;
            if (byte < 0x80) return value;
        }
        return std::nullopt;
    };
    const auto count = next();
    if (!count || (*count & 1) != 0 || *count / 2 > kIndexesMax) return std::nullopt;
    for (uint64_t i = 0; i < *count / 2; ++i) {
        if (!next()) return std::nullopt;
    }
    return at;
}

class SchemaFinder final : public ReaderFinder {
public:
    SchemaFinder(std::shared_ptr<SchemaRegistry> registry, FrameIndexes indexes, MakeReader make)
        : registry_(std::move(registry)), indexes_(indexes), make_(std::move(make)) {}

    Result<Found> find(RunContext& run, std::string_view payload,
                       std::optional<std::string_view> schema_header) override {
        const std::string_view place = schema_header.value_or(payload);
        const std::string_view frame = frame_of(place);
        if (frame.empty()) return refused(no_frame(place));
        size_t size = frame.size();
        if (indexes_ == FrameIndexes::present) {
            const auto indexes = size_of_indexes(place.substr(size));
            if (!indexes) return refused("the numbers of the message's type behind the schema id are broken");
            size += *indexes;
        }
        const std::string_view key = place.substr(0, size);
        if (key != last_key_) {
            TRY(look_up(run, key, frame));
            if (last_.reader != Found::kNone) last_key_ = key;
        }
        Found found = last_;
        if (!schema_header && found.reader != Found::kNone) found.skip = static_cast<uint32_t>(size);
        return found;
    }

private:
    struct Known {
        Found found;
        std::optional<Timestamp> until;  // of what the registry may yet get
    };

    static Found refused(std::string why) {
        Found found;
        found.why = std::move(why);
        return found;
    }

    static std::string no_frame(std::string_view bytes) {
        if (bytes.empty()) return "there is no schema id in front of the message: it is empty";
        return "there is no schema id in front of the message: it begins with 0x" + to_hex(bytes.substr(0, 4)) +
               "; was it written with the registry?";
    }

    Result<void> look_up(RunContext& run, std::string_view key, std::string_view frame) {
        last_key_.clear();
        const auto known = known_.find(key);
        if (known != known_.end() && (!known->second.until || *known->second.until > run.clock.now())) {
            last_ = known->second.found;
            return {};
        }
        Known fresh;
        auto schema = frame[0] == '\0' ? registry_->by_id(run, id_of_frame(frame))
                                       : registry_->by_guid(run, guid_of_frame(frame));
        if (schema.ok()) {
            auto reader = make_(run, schema.value(), key.substr(frame.size()));
            if (!reader.ok() && reader.error().kind() != ErrorKind::bad_data) return reader.release_error();
            if (reader.ok() && reader.value().renews) known_.clear();
            fresh.found =
                reader.ok() ? Found{add(reader.release_value().reader), 0, 0, {}} : refused(reader.error().message());
        } else {
            if (schema.error().kind() != ErrorKind::bad_data) return schema.release_error();
            fresh.found = refused(schema.error().message());
            fresh.until = run.clock.now() + kMissingFor;
        }
        last_ = fresh.found;
        known_.insert_or_assign(std::string(key), std::move(fresh));
        return {};
    }

    const std::shared_ptr<SchemaRegistry> registry_;
    const FrameIndexes indexes_;
    const MakeReader make_;
    std::map<std::string, Known, std::less<>> known_;
    std::string last_key_;
    Found last_;
};

}  // namespace

std::unique_ptr<ReaderFinder> find_by_registry(std::shared_ptr<SchemaRegistry> registry, FrameIndexes indexes,
                                               MakeReader make) {
    return std::make_unique<SchemaFinder>(std::move(registry), indexes, std::move(make));
}

}  // namespace shaduf::kafka
