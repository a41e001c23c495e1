#include "connectors/kafka/text_decoder.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "connectors/kafka/metadata_text.h"
#include "connectors/kafka/wire_frame.h"
#include "data/json_member.h"

namespace shaduf::kafka {
namespace {

constexpr const char* kTombstoneRefused =
    "the message has no value (a tombstone); set tombstones: skip, or row to keep its metadata";
constexpr size_t kMetadataBytes = 160;  // about, a message

KeyText key_text_of(Format format) {
    switch (format) {
        case Format::json: return KeyText::json;
        case Format::raw: return KeyText::bytes;
        case Format::text:
        case Format::csv: return KeyText::text;
        case Format::json_schema:
        case Format::avro:
        case Format::protobuf: break;
    }
    return KeyText::decoded;
}

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Where the value of a message stands, without a registry's frame and line ends.
RawRows::Span span_of(const Messages& messages, size_t message, RawFormat format) {
    const Messages::Span& value = messages.values[message];
    if (value.is_null()) return {0, 0};
    const std::string_view text = *messages.at(value);
    if (format == RawFormat::json) {
        const auto skip = static_cast<uint32_t>(frame_of(text).size());
        return {value.offset + skip, value.length - skip};
    }
    uint32_t length = value.length;
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r')) --length;
    return {value.offset, length};
}

// Appends `members` behind those of the object that `text` is. What does not look like one stays as it is: the row
// decoder says what is wrong with it, of the text as it came.
void append_object(std::string_view text, std::string_view members, BufferBuilder& out) {
    size_t begin = 0;
    size_t end = text.size();
    while (begin < end && is_space(text[begin])) ++begin;
    while (end > begin && is_space(text[end - 1])) --end;
    if (end - begin < 2 || text[begin] != '{' || text[end - 1] != '}') return out.append(text);
    size_t first = begin + 1;
    while (is_space(text[first])) ++first;
    const bool is_empty = first == end - 1;
    out.append(text.data() + begin, end - 1 - begin);
    if (!is_empty) out.append(",", 1);
    out.append(members);
    out.append("}", 1);
}

// The object without its members of `names`; `text` itself when it is none.
std::string without_members(std::string_view text, const std::vector<std::string>& names) {
    std::string left;
    JsonCursor cursor(text);
    cursor.skip_space();
    const bool is_object = cursor.peek() == '{' && read_members(cursor, [&](std::string_view key) {
                               const std::string name(key);
                               const char* begin = cursor.at();
                               if (!cursor.skip_value()) return false;
                               if (std::find(names.begin(), names.end(), name) != names.end()) return true;
                               left += left.empty() ? "" : ",";
                               append_json_string(name, left);
                               left += ':';
                               left += cursor.since(begin);
                               return true;
                           });
    return is_object && cursor.finish() ? '{' + left + '}' : std::string(text);
}

class TextDecoder final : public Decoder {
public:
    TextDecoder(DecoderSettings settings, std::unique_ptr<ReaderFinder> keys)
        : settings_(std::move(settings)),
          format_(settings_.value == Format::csv ? RawFormat::csv : RawFormat::json),
          dialect_(settings_.csv),
          keys_(std::move(keys)),
          metadata_(settings_.metadata, key_text_of(settings_.key)),
          names_(metadata_.names()),
          member_begin_('"' + settings_.metadata.prefix) {
        if (format_ == RawFormat::csv && settings_.metadata.any()) dialect_ = with_metadata();
    }

    Result<Rows> to_rows(RunContext& run, MessagesPtr messages) override {
        RawRows rows;
        rows.format = format_;
        rows.csv = dialect_;
        const std::vector<uint32_t> taken = taken_of(*messages);
        place(*messages, taken, rows);
        if (settings_.metadata.any()) {
            TRY(write_rows(run, *messages, taken, rows));
        } else {
            rows.text = messages->bytes;
            for (const uint32_t message : taken) rows.rows.push_back(span_of(*messages, message, format_));
        }
        return Rows(std::move(rows));
    }

    std::vector<ShapeColumn> known_columns() const override {
        auto columns = metadata_.columns();
        // Keys of a schema have its types.
        if (keys_ != nullptr) {
            std::erase_if(columns,
                          [&](const auto& column) { return column.name == settings_.metadata.prefix + "key"; });
        }
        return columns;
    }

private:
    std::shared_ptr<const CsvDialect> with_metadata() const {
        auto dialect = std::make_shared<CsvDialect>(*settings_.csv);
        dialect->header.insert(dialect->header.begin(), names_.begin(), names_.end());
        return dialect;
    }

    std::vector<uint32_t> taken_of(const Messages& messages) const {
        std::vector<uint32_t> taken;
        taken.reserve(messages.rows());
        for (uint32_t message = 0; message < messages.rows(); ++message) {
            if (settings_.tombstones == Tombstones::skip && messages.values[message].is_null()) continue;
            taken.push_back(message);
        }
        return taken;
    }

    // Positions, and the rows that are no rows.
    void place(const Messages& messages, const std::vector<uint32_t>& taken, RawRows& rows) const {
        rows.rows.reserve(taken.size());
        rows.row_numbers.reserve(taken.size());
        size_t stretch = SIZE_MAX;
        for (const uint32_t message : taken) {
            size_t own = stretch == SIZE_MAX ? 0 : stretch;
            while (own + 1 < messages.stretches.size() && messages.stretches[own + 1].row <= message) ++own;
            if (own != stretch) {
                const auto& from = messages.stretches[own];
                rows.stretches.push_back({rows.row_numbers.size(), from.topic + "/" + std::to_string(from.partition)});
                stretch = own;
            }
            if (settings_.tombstones == Tombstones::quarantine && messages.values[message].is_null()) {
                rows.broken.push_back({rows.row_numbers.size(), kTombstoneRefused});
            }
            rows.row_numbers.push_back(messages.offsets[message]);
        }
    }

    Result<void> write_rows(RunContext& run, const Messages& messages, const std::vector<uint32_t>& taken,
                            RawRows& rows) {
        std::optional<DecodedColumn> keys;
        if (keys_ != nullptr && settings_.metadata.key) {
            std::vector<uint32_t> all(messages.rows());
            std::iota(all.begin(), all.end(), 0);
            keys = decode_as_column(messages, TRY(find_payloads(run, *keys_, messages, Part::key, all)));
        }
        metadata_.begin(messages, keys ? &*keys : nullptr);
        BufferBuilder text;
        text.reserve(messages.bytes->size() + taken.size() * kMetadataBytes);
        std::vector<RawRows::Broken> broken;
        auto next_broken = rows.broken.begin();
        for (size_t row = 0; row < taken.size(); ++row) {
            const size_t begin = text.size();
            auto why = write_row(messages, taken[row], text);
            if (text.size() > UINT32_MAX) return Error(ErrorKind::too_large, "messages are over 4 GiB with metadata");
            rows.rows.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(text.size() - begin)});
            const bool is_tombstone = next_broken != rows.broken.end() && next_broken->row == row;
            if (is_tombstone) {
                broken.push_back(std::move(*next_broken++));
            } else if (why) {
                broken.push_back({row, std::move(*why)});
            }
        }
        rows.broken = std::move(broken);
        rows.text = text.finish();
        return {};
    }

    std::optional<std::string> write_row(const Messages& messages, uint32_t message, BufferBuilder& text) {
        const RawRows::Span span = span_of(messages, message, format_);
        const std::string_view value = messages.bytes->view().substr(span.offset, span.length);
        const bool is_null = messages.values[message].is_null();
        scratch_.clear();
        std::optional<std::string> why;
        if (format_ == RawFormat::json) {
            why = metadata_.append_members(message, scratch_);
            if (why) {
                text.append(value);
            } else if (value.find(member_begin_) != std::string_view::npos) {
                append_object(without_members(value, names_), scratch_, text);
            } else {
                append_object(is_null ? "{}" : value, scratch_, text);
            }
            return why;
        }
        why = metadata_.append_fields(message, settings_.csv->delimiter, settings_.csv->null_text, scratch_);
        if (!why) text.append(scratch_);
        text.append(is_null ? null_record() : value);
        return why;
    }

    std::string_view null_record() {
        if (null_record_.empty()) {
            for (size_t i = 0; i < settings_.csv->header.size(); ++i) {
                if (i > 0) null_record_ += settings_.csv->delimiter;
                null_record_ += settings_.csv->null_text;
            }
        }
        return null_record_;
    }

    const DecoderSettings settings_;
    const RawFormat format_;
    std::shared_ptr<const CsvDialect> dialect_;  // with the names of the metadata
    std::unique_ptr<ReaderFinder> keys_;
    MetadataText metadata_;
    const std::vector<std::string> names_;
    const std::string member_begin_;  // how members of such names begin
    std::string scratch_;
    std::string null_record_;
};

}  // namespace

std::unique_ptr<Decoder> make_text_decoder(DecoderSettings settings, std::unique_ptr<ReaderFinder> keys) {
    return std::make_unique<TextDecoder>(std::move(settings), std::move(keys));
}

}  // namespace shaduf::kafka
