#include "connectors/kafka/decoder.h"

#include <algorithm>

#include "base/text.h"
#include "connectors/kafka/avro_finder.h"
#include "connectors/kafka/connect_json.h"
#include "connectors/kafka/payload_reader.h"
#include "connectors/kafka/protobuf_reader.h"
#include "connectors/kafka/text_decoder.h"
#include "connectors/kafka/told_columns.h"
#include "connectors/kafka/typed_rows.h"

namespace shaduf::kafka {
namespace {

constexpr const char* kTombstoneRefused =
    "the message has no value (a tombstone); set tombstones: skip, or row to keep its metadata";

// The decoder of formats that say their types: the reader's thread finds out which schema each message has, and the
// rest is left to whoever decodes the rows.
class TypedDecoder final : public Decoder {
public:
    TypedDecoder(const DecoderSettings& settings, std::unique_ptr<ReaderFinder> values,
                 std::unique_ptr<ReaderFinder> keys)
        : is_text_(settings.value == Format::json),
          tombstones_(settings.tombstones),
          metadata_(std::make_shared<const MetadataColumns>(settings.metadata)),
          values_(std::move(values)),
          keys_(std::move(keys)) {
        if (settings.teller && !is_text_) book_.emplace(settings.teller);
    }

    Result<Rows> to_rows(RunContext& run, MessagesPtr messages) override {
        TypedRows::Content content;
        content.metadata = metadata_;
        content.rows = taken_of(*messages);
        content.values = TRY(find_payloads(run, *values_, *messages, Part::value, content.rows));
        if (book_) TRY(tell_columns(run, *messages, content));
        if (tombstones_ == Tombstones::quarantine) refuse_tombstones(*messages, content);
        if (keys_ != nullptr) {
            content.keys = TRY(find_payloads(run, *keys_, *messages, Part::key, content.rows));
        }
        content.is_text = is_text_;
        content.messages = std::move(messages);
        return Rows(std::make_shared<const TypedRows>(std::move(content)));
    }

private:
    std::vector<uint32_t> taken_of(const Messages& messages) const {
        std::vector<uint32_t> taken;
        taken.reserve(messages.rows());
        for (uint32_t message = 0; message < messages.rows(); ++message) {
            if (tombstones_ != Tombstones::skip || !messages.values[message].is_null()) taken.push_back(message);
        }
        return taken;
    }

    // The columns that hold what all of the messages were written with.
    Result<void> tell_columns(RunContext& run, const Messages& messages, TypedRows::Content& content) {
        auto& refused = content.values.refused;
        const size_t before = refused.size();
        for (size_t row = 0; row < content.rows.size(); ++row) {
            const auto header = messages.marks.empty() ? std::nullopt : messages.at(messages.marks[content.rows[row]]);
            if (TRY(book_->knows(run, header.value_or("")))) continue;
            if (content.values.rows[row].reader == ReaderFinder::Found::kNone) continue;  // refused already
            content.values.rows[row].reader = ReaderFinder::Found::kNone;
            refused.push_back({row, ColumnsBook::why_unknown(*header)});
        }
        content.told = book_->columns();
        merge_refused(refused, before);
        return {};
    }

    static void merge_refused(std::vector<Payloads::Refused>& refused, size_t before) {
        std::inplace_merge(refused.begin(), refused.begin() + static_cast<ptrdiff_t>(before), refused.end(),
                           [](const auto& a, const auto& b) { return a.row < b.row; });
    }

    static void refuse_tombstones(const Messages& messages, TypedRows::Content& content) {
        auto& refused = content.values.refused;
        const size_t before = refused.size();
        for (size_t row = 0; row < content.rows.size(); ++row) {
            if (messages.values[content.rows[row]].is_null()) refused.push_back({row, kTombstoneRefused});
        }
        merge_refused(refused, before);
    }

    const bool is_text_;
    const Tombstones tombstones_;
    const std::shared_ptr<const MetadataColumns> metadata_;
    std::unique_ptr<ReaderFinder> values_;
    std::unique_ptr<ReaderFinder> keys_;
    std::optional<ColumnsBook> book_;  // of values that do not bring all types along
};

Error refused(const DecoderSettings& settings, std::string message) {
    return Error(ErrorKind::invalid_config, std::move(message))
        .at(Place::in_stream(settings.connection, settings.stream));
}

std::string_view name_of(Format format) {
    switch (format) {
        case Format::json: return "json";
        case Format::json_schema: return "json_schema";
        case Format::avro: return "avro";
        case Format::protobuf: return "protobuf";
        case Format::csv: return "csv";
        case Format::text: return "text";
        case Format::raw: break;
    }
    return "raw";
}

bool needs_registry(Format format) { return format == Format::avro || format == Format::protobuf; }

Result<void> check_settings(const DecoderSettings& settings) {
    for (const Format format : {settings.value, settings.key}) {
        if (needs_registry(format) && settings.registry == nullptr) {
            return refused(settings, "the format needs a schema registry: " + std::string(name_of(format)) +
                                         "; set registry_url in the connection");
        }
    }
    if (settings.key == Format::csv) return refused(settings, "keys cannot be csv; set key_format: text");
    if (settings.value == Format::csv && (settings.csv == nullptr || settings.csv->header.empty())) {
        return refused(settings, "format csv needs the names of the fields; set csv_columns");
    }
    if (settings.tombstones == Tombstones::row && !settings.metadata.key && !settings.metadata.tombstone) {
        return refused(settings, "tombstones: row says nothing without metadata; add key or tombstone to metadata");
    }
    if (settings.value != Format::csv) return {};
    for (const std::string& name : settings.csv->header) {
        if (settings.metadata.any() && to_lower(name).starts_with(to_lower(settings.metadata.prefix))) {
            return refused(settings, "a field of csv_columns has the prefix of the metadata: " + name +
                                         "; set another metadata_prefix");
        }
    }
    return {};
}

Result<std::unique_ptr<ReaderFinder>> make_finder(Format format, const DecoderSettings& settings, Part part) {
    switch (format) {
        case Format::text: return find_plain(PlainPayload::text);
        case Format::raw: return find_plain(PlainPayload::bytes);
        case Format::json: return part == Part::value ? find_told(settings.teller) : find_plain(PlainPayload::json);
        case Format::avro: return find_avro(settings, part == Part::value ? settings.reader_schema : "");
        case Format::protobuf: return find_protobuf(settings.registry);
        case Format::json_schema: return find_connect_json();
        case Format::csv: break;
    }
    return refused(settings, "format is not known: " + std::string(name_of(format)));
}

}  // namespace

Result<std::unique_ptr<Decoder>> make_decoder(DecoderSettings settings) {
    TRY(check_settings(settings));
    const bool is_text = (settings.value == Format::json && !settings.teller) || settings.value == Format::csv;
    const bool plain_key = settings.key == Format::json || settings.key == Format::text || settings.key == Format::raw;
    std::unique_ptr<ReaderFinder> keys;
    if (settings.metadata.key && !(is_text && plain_key)) keys = TRY(make_finder(settings.key, settings, Part::key));
    if (is_text) return make_text_decoder(std::move(settings), std::move(keys));
    auto values = TRY(make_finder(settings.value, settings, Part::value));
    return std::make_unique<TypedDecoder>(settings, std::move(values), std::move(keys));
}

}  // namespace shaduf::kafka
