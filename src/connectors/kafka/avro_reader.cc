#include "connectors/kafka/avro_reader.h"

#include <array>

#include "base/time.h"
#include "connectors/kafka/avro_cursor.h"
#include "connectors/kafka/avro_plan.h"
#include "connectors/kafka/avro_value.h"
#include "connectors/kafka/json_scalar.h"
#include "data/decimal.h"
#include "data/utf8.h"
#include "data/uuid.h"

namespace shaduf::kafka {
namespace {

using Op = AvroStep::Op;

// The reading of one record.
class AvroRun {
public:
    AvroRun(std::string_view payload, RecordBatchBuilder& rows) : cursor_(payload), rows_(rows) {}

    std::optional<std::string> run(const AvroStep& root) {
        if (step(root)) {
            if (cursor_.at_end()) [[likely]]
                return std::nullopt;
            return "bytes are left behind the record: " + std::to_string(cursor_.left()) +
                   "; it was written with another schema";
        }
        std::string why = "field " + (failed_ == nullptr ? root : *failed_).field + " cannot be read: ";
        return why + (cursor_.fault() != nullptr ? cursor_.fault() : failed_->bytes);
    }

private:
    bool step(const AvroStep& step) {
        if (take(step)) [[likely]]
            return true;
        if (failed_ == nullptr) failed_ = &step;
        return false;
    }

    ColumnBuilder& column(const AvroStep& step) { return rows_.column(step.column); }

    bool take(const AvroStep& step) {
        switch (step.op) {
            case Op::integer: return take_integer(step);
            case Op::text: return take_text(step);
            case Op::nullable: return take_nullable(step);
            case Op::float64: return take_float64(step);
            case Op::micros: return take_micros(step);
            case Op::boolean: return take_boolean(step);
            case Op::record: return take_record(step);
            case Op::bytes:
            case Op::fixed: return take_bytes(step);
            case Op::date: return take_date(step);
            case Op::decimal: return take_decimal(step);
            case Op::symbol: return take_symbol(step);
            case Op::float32: return take_float32(step);
            case Op::integer_as_float: return take_integer_as_float(step);
            case Op::uuid_text: return take_uuid(step);
            case Op::zoned_text: return take_zoned(step);
            case Op::duration: return take_duration(step);
            case Op::json: return take_json(step);
            case Op::branches: return take_branch(step);
            case Op::constant: return take_constant(step);
            case Op::nulls: return take_null(step);
            case Op::skip: return AvroWalker(cursor_).skip(*step.type);
            case Op::misfit: break;
        }
        return false;
    }

    bool read_integer(const AvroStep& step, int64_t& value) {
        return step.type->kind == AvroKind::integer ? cursor_.read_int(value) : cursor_.read_long(value);
    }
    bool take_integer(const AvroStep& step) {
        int64_t value = 0;
        if (!read_integer(step, value)) return false;
        column(step).append_int64(value);
        return true;
    }
    bool take_integer_as_float(const AvroStep& step) {
        int64_t value = 0;
        if (!read_integer(step, value)) return false;
        column(step).append_float64(static_cast<double>(value));
        return true;
    }
    bool take_date(const AvroStep& step) {
        int64_t days = 0;
        if (!cursor_.read_int(days)) return false;
        column(step).append_date(static_cast<int32_t>(days));
        return true;
    }
    bool take_micros(const AvroStep& step) {
        int64_t count = 0;
        int64_t micros = 0;
        if (!read_integer(step, count)) return false;
        if (!avro_micros(step.logical, count, micros)) return cursor_.fail("a time is out of range");
        column(step).append_int64(micros);
        return true;
    }
    bool take_float32(const AvroStep& step) {
        double value = 0;
        if (!cursor_.read_float(value)) return false;
        column(step).append_float64(value);
        return true;
    }
    bool take_float64(const AvroStep& step) {
        double value = 0;
        if (!cursor_.read_double(value)) return false;
        column(step).append_float64(value);
        return true;
    }
    bool take_boolean(const AvroStep& step) {
        bool value = false;
        if (!cursor_.read_boolean(value)) return false;
        column(step).append_boolean(value);
        return true;
    }
    bool take_text(const AvroStep& step) {
        std::string_view text;
        if (!cursor_.read_bytes(text)) return false;
        if (find_invalid_utf8(text)) return cursor_.fail("a text is not valid UTF-8");
        column(step).append_padded_text(text);
        return true;
    }
    bool take_bytes(const AvroStep& step) {
        std::string_view bytes;
        if (step.op == Op::fixed ? !cursor_.read_fixed(step.type->size, bytes) : !cursor_.read_bytes(bytes))
            return false;
        if (column(step).type().kind() == TypeKind::uuid) {
            column(step).append_uuid(bytes);
        } else {
            column(step).append_text(bytes);
        }
        return true;
    }
    bool take_decimal(const AvroStep& step) {
        std::string_view bytes;
        if (step.is_fixed ? !cursor_.read_fixed(step.type->size, bytes) : !cursor_.read_bytes(bytes)) return false;
        int128 value = 0;
        if (!read_big_endian(bytes, value) || !has_digits(value, step.precision)) {
            return cursor_.fail("a decimal has more digits than its schema says");
        }
        column(step).append_decimal(value);
        return true;
    }
    bool take_symbol(const AvroStep& step) {
        int64_t number = 0;
        if (!cursor_.read_int(number)) return false;
        if (number < 0 || static_cast<uint64_t>(number) >= step.symbols.size()) {
            return cursor_.fail("an enum has no symbol of that number");
        }
        const std::string& symbol = step.symbols[static_cast<size_t>(number)];
        if (symbol.empty()) return cursor_.fail("a symbol is not in the reader's schema");
        column(step).append_text(symbol);
        return true;
    }
    bool take_uuid(const AvroStep& step) {
        std::string_view text;
        std::array<uint8_t, kUuidBytes> bytes{};
        if (!cursor_.read_bytes(text)) return false;
        if (!parse_uuid(text, bytes.data())) return cursor_.fail("a text is no UUID");
        column(step).append_uuid({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        return true;
    }
    bool take_zoned(const AvroStep& step) {
        std::string_view text;
        if (!cursor_.read_bytes(text)) return false;
        const auto time = parse_timestamp(text);
        if (!time) return cursor_.fail("a text is no timestamp");
        column(step).append_int64(time->microseconds);
        return true;
    }
    bool take_duration(const AvroStep& step) {
        std::string_view bytes;
        if (!cursor_.read_fixed(step.type->size, bytes)) return false;
        column(step).append_text(avro_duration(bytes));
        return true;
    }
    bool take_json(const AvroStep& step) {
        json_.clear();
        if (!AvroWalker(cursor_).write_json(*step.type, json_)) return false;
        if (json_ == "null") return take_null(step);
        column(step).append_text(json_);
        return true;
    }
    bool take_null(const AvroStep& step) {
        for (uint32_t i = step.column; i < step.column_end; ++i) rows_.column(i).append_null();
        return true;
    }
    bool take_record(const AvroStep& record) {
        for (const AvroStep& field : record.steps) {
            if (!step(field)) return false;
        }
        return true;
    }
    bool take_nullable(const AvroStep& own) {
        int64_t branch = 0;
        if (!cursor_.read_long(branch)) return false;
        if (branch == own.null_branch) return take_null(own);
        if (branch != 1 - own.null_branch) return cursor_.fail("a union has no branch of that number");
        return step(own.steps[0]);
    }
    bool take_branch(const AvroStep& own) {
        int64_t branch = 0;
        if (!cursor_.read_long(branch)) return false;
        if (branch < 0 || static_cast<uint64_t>(branch) >= own.steps.size()) {
            return cursor_.fail("a union has no branch of that number");
        }
        return step(own.steps[static_cast<size_t>(branch)]);
    }
    bool take_constant(const AvroStep& own) {
        AvroRun constant(std::string_view(own.bytes).substr(0, own.bytes_size), rows_);
        return constant.step(own.steps[0]) || cursor_.fail("the reader's default cannot be read");
    }

    AvroCursor cursor_;
    RecordBatchBuilder& rows_;
    const AvroStep* failed_ = nullptr;
    std::string json_;
};

class AvroReader final : public PayloadReader {
public:
    explicit AvroReader(std::shared_ptr<const AvroPlan> plan) : plan_(std::move(plan)) {}

    const SchemaPtr& schema() const override { return plan_->schema; }
    bool is_single() const override { return plan_->is_single; }
    std::optional<std::string> read(std::string_view payload, RecordBatchBuilder& rows) const override {
        return AvroRun(payload, rows).run(plan_->root);
    }

private:
    std::shared_ptr<const AvroPlan> plan_;
};

}  // namespace

Result<PayloadReaderPtr> make_avro_reader(AvroSchemaPtr writer, AvroSchemaPtr reader) {
    return std::make_shared<const AvroReader>(TRY(plan_avro(std::move(writer), std::move(reader))));
}

}  // namespace shaduf::kafka
