#include "connectors/kafka/payload_reader.h"

#include "connectors/kafka/wire_frame.h"
#include "data/json_cursor.h"
#include "data/utf8.h"

namespace shaduf::kafka {
namespace {

TypeKind kind_of(PlainPayload kind) {
    switch (kind) {
        case PlainPayload::text: return TypeKind::string;
        case PlainPayload::bytes: return TypeKind::bytes;
        case PlainPayload::json: break;
    }
    return TypeKind::json;
}

class PlainReader final : public PayloadReader {
public:
    explicit PlainReader(PlainPayload kind)
        : kind_(kind), schema_(std::make_shared<const Schema>(std::vector<Field>{{"value", kind_of(kind)}})) {}

    const SchemaPtr& schema() const override { return schema_; }
    bool is_single() const override { return true; }
    std::optional<std::string> read(std::string_view payload, RecordBatchBuilder& rows) const override {
        if (kind_ == PlainPayload::text) {
            if (const auto invalid = find_invalid_utf8(payload)) {
                return "not valid UTF-8 at byte " + std::to_string(*invalid) + "; read it as raw";
            }
        }
        if (kind_ == PlainPayload::json) {
            JsonCursor cursor(payload);
            cursor.skip_space();
            if (!cursor.skip_value() || !cursor.finish()) return "invalid JSON: " + cursor.fault();
        }
        rows.column(0).append_text(payload);
        return std::nullopt;
    }

private:
    PlainPayload kind_;
    SchemaPtr schema_;
};

class PlainFinder final : public ReaderFinder {
public:
    explicit PlainFinder(PlainPayload kind) : is_json_(kind == PlainPayload::json) {
        add(std::make_shared<PlainReader>(kind));
    }
    Result<Found> find(RunContext&, std::string_view payload, std::optional<std::string_view>) override {
        return Found{0, is_json_ ? static_cast<uint32_t>(frame_of(payload).size()) : 0, 0, {}};
    }

private:
    bool is_json_;
};

}  // namespace

std::unique_ptr<ReaderFinder> find_plain(PlainPayload kind) { return std::make_unique<PlainFinder>(kind); }

}  // namespace shaduf::kafka
