#include "data/builder.h"

#include "base/assert.h"

namespace shaduf {
namespace {

// Bytes a value takes in `values`; 0 for bits and for what has offsets or children.
size_t value_width(TypeKind kind) {
    switch (kind) {
        case TypeKind::int64:
        case TypeKind::float64:
        case TypeKind::time:
        case TypeKind::timestamp:
        case TypeKind::timestamp_tz: return 8;
        case TypeKind::date: return 4;
        case TypeKind::uuid:
        case TypeKind::decimal: return 16;
        default: return 0;
    }
}

bool has_text(TypeKind kind) { return kind == TypeKind::string || kind == TypeKind::bytes || kind == TypeKind::json; }

bool has_offsets(TypeKind kind) { return has_text(kind) || kind == TypeKind::list; }

}  // namespace

ColumnBuilder::ColumnBuilder(DataType type) : type_(std::move(type)) {
    for (const auto& child : type_.children()) children_.emplace_back(child.type);
    if (has_offsets(type_.kind())) offsets_.append_value(int32_t{0});
}

void ColumnBuilder::reserve(size_t rows, size_t text_bytes) {
    values_.reserve(has_text(type_.kind()) ? text_bytes : rows * value_width(type_.kind()));
    if (has_offsets(type_.kind())) offsets_.reserve(rows * sizeof(int32_t));
}

void ColumnBuilder::append_validity_bit(bool valid) {
    if (length_ / 8 >= validity_.size()) validity_.append_zeros(1);
    if (valid) set_bit(validity_.data(), length_);
}

void ColumnBuilder::start_validity() {
    has_nulls_ = true;
    validity_.append_zeros((length_ + 7) / 8);
    for (size_t row = 0; row < length_; ++row) set_bit(validity_.data(), row);
}

void ColumnBuilder::append_null() {
    if (!has_nulls_) start_validity();
    append_validity_bit(false);
    ++null_count_;
    const TypeKind kind = type_.kind();
    if (kind == TypeKind::boolean && length_ / 8 >= values_.size()) values_.append_zeros(1);
    values_.append_zeros(value_width(kind));
    if (has_text(kind)) offsets_.append_value(static_cast<int32_t>(values_.size()));
    if (kind == TypeKind::list) offsets_.append_value(static_cast<int32_t>(children_[0].length()));
    if (kind == TypeKind::structure) {
        for (auto& child : children_) child.append_null();
    }
    ++length_;
}

void ColumnBuilder::append_boolean(bool value) {
    if (length_ / 8 >= values_.size()) values_.append_zeros(1);
    if (value) set_bit(values_.data(), length_);
    append_valid();
}

void ColumnBuilder::append_list() {
    offsets_.append_value(static_cast<int32_t>(children_[0].length()));
    append_valid();
}

void ColumnBuilder::truncate(size_t length) {
    SHADUF_ASSERT(length <= length_);
    if (has_nulls_) {
        for (size_t row = length; row < length_; ++row) {
            if (!get_bit(validity_.data(), row)) --null_count_;
            clear_bit(validity_.data(), row);
        }
        validity_.resize((length + 7) / 8);
    }
    const TypeKind kind = type_.kind();
    if (kind == TypeKind::boolean) {
        for (size_t row = length; row < length_; ++row) clear_bit(values_.data(), row);
        values_.resize((length + 7) / 8);
    } else if (has_offsets(kind)) {
        offsets_.resize((length + 1) * sizeof(int32_t));
        const auto end = static_cast<size_t>(offsets_.as<int32_t>()[length]);
        if (kind == TypeKind::list) {
            children_[0].truncate(end);
        } else {
            values_.resize(end);
        }
    } else if (kind == TypeKind::structure) {
        for (auto& child : children_) child.truncate(length);
    } else {
        values_.resize(length * value_width(kind));
    }
    length_ = length;
}

size_t ColumnBuilder::children_byte_size() const {
    size_t bytes = 0;
    for (const auto& child : children_) bytes += child.byte_size();
    return bytes;
}

Column ColumnBuilder::finish() {
    Column column;
    column.type = type_;
    column.length = length_;
    column.null_count = null_count_;
    if (null_count_ > 0) column.validity = validity_.finish();
    if (has_offsets(type_.kind())) column.offsets = offsets_.finish();
    if (!type_.is_nested()) column.values = values_.finish();
    for (auto& child : children_) column.children.push_back(child.finish());
    *this = ColumnBuilder(type_);
    return column;
}

RecordBatchBuilder::RecordBatchBuilder(SchemaPtr schema) : schema_(std::move(schema)) {
    for (const auto& field : schema_->fields()) columns_.emplace_back(field.type);
}

size_t RecordBatchBuilder::byte_size() const {
    size_t bytes = 0;
    for (const auto& column : columns_) bytes += column.byte_size();
    return bytes;
}

void RecordBatchBuilder::undo_row() {
    for (auto& column : columns_) {
        // Children may have got values whose list or structure was never closed.
        if (column.length() > rows_ || column.type().is_nested()) column.truncate(rows_);
    }
}

RecordBatch RecordBatchBuilder::finish() {
    std::vector<Column> columns;
    columns.reserve(columns_.size());
    for (auto& column : columns_) columns.push_back(column.finish());
    return RecordBatch(schema_, std::move(columns), std::exchange(rows_, 0));
}

}  // namespace shaduf
