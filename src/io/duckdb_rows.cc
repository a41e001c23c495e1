#include <duckdb.h>

#include <algorithm>
#include <optional>

#include "base/assert.h"
#include "data/arrow.h"
#include "io/duckdb.h"
#include "io/duckdb_internal.h"

// shaduf_rows(id): the engine's threads take slices of 2048 rows each, let the engine wrap them as vectors through the
// Arrow C Data Interface (texts stay where they are), and hand those on. The engine's own scan of Arrow streams is as
// fast, but is reached only through a view in the database that is written to, and mixes columns up when the
// optimizer leaves some out.
namespace shaduf {
namespace {

// The engine wraps text columns of JSON as plain text: the declared type of the result says that it is JSON.
DataType without_json(const DataType& type) {
    if (type.kind() == TypeKind::json) return TypeKind::string;
    if (type.kind() == TypeKind::list) return DataType::list(without_json(type.children()[0].type));
    if (type.kind() != TypeKind::structure) return type;
    std::vector<Field> fields = type.children();
    for (auto& field : fields) field.type = without_json(field.type);
    return DataType::structure(std::move(fields));
}

struct ScanState {
    DuckDbRowSources* sources;
    DuckDbRowSource* source;
    std::vector<size_t> wanted;  // columns of the source, as the plan asks for them; beyond its schema: the row number
    duckdb_arrow_converted_schema converted = nullptr;
    ~ScanState() {
        if (converted != nullptr) duckdb_destroy_arrow_converted_schema(&converted);
    }
};

std::optional<std::string> take_error(duckdb_error_data error) {
    if (error == nullptr) return std::nullopt;
    std::optional<std::string> message;
    if (duckdb_error_data_has_error(error)) message = duckdb_error_data_message(error);
    duckdb_destroy_error_data(&error);
    return message;
}

int64_t read_parameter(duckdb_bind_info info) {
    duckdb_value value = duckdb_bind_get_parameter(info, 0);
    const int64_t number = duckdb_get_int64(value);
    duckdb_destroy_value(&value);
    return number;
}

void add_column(duckdb_bind_info info, std::string_view name, const DataType& type) {
    duckdb_logical_type logical = logical_of_type(type);
    duckdb_bind_add_result_column(info, std::string(name).c_str(), logical);
    duckdb_destroy_logical_type(&logical);
}

void bind(duckdb_bind_info info) {
    auto* sources = static_cast<DuckDbRowSources*>(duckdb_bind_get_extra_info(info));
    const int64_t id = read_parameter(info);
    const DuckDbRowSource* source = sources->find(id);
    if (source == nullptr) return duckdb_bind_set_error(info, "shaduf_rows is for shaduf's own statements");
    for (const auto& field : source->schema()->fields()) add_column(info, field.name, field.type);
    add_column(info, DuckDbConnection::kRowNumberColumn, TypeKind::int64);
    if (const auto rows = source->row_count()) duckdb_bind_set_cardinality(info, static_cast<idx_t>(*rows), true);
    duckdb_bind_set_bind_data(info, new int64_t(id), [](void* data) { delete static_cast<int64_t*>(data); });
}

std::optional<std::string> convert_schema(ScanState& state) {
    std::vector<Field> fields;
    for (const size_t i : state.wanted) {
        if (i >= state.source->schema()->size()) continue;
        const Field& field = (*state.source->schema())[i];
        fields.push_back({field.name, without_json(field.type), true});
    }
    ArrowSchema schema{};
    export_schema(Schema(std::move(fields)), schema);
    auto error = take_error(duckdb_schema_from_arrow(state.sources->connection(), &schema, &state.converted));
    if (schema.release != nullptr) schema.release(&schema);
    return error;
}

void init(duckdb_init_info info) {
    const auto* id = static_cast<const int64_t*>(duckdb_init_get_bind_data(info));
    auto state = std::make_unique<ScanState>();
    state->sources = static_cast<DuckDbRowSources*>(duckdb_init_get_extra_info(info));
    state->source = state->sources->find(*id);
    if (state->source == nullptr) return duckdb_init_set_error(info, "the rows are gone");
    for (idx_t i = 0; i < duckdb_init_get_column_count(info); ++i) {
        state->wanted.push_back(duckdb_init_get_column_index(info, i));
    }
    if (const auto error = convert_schema(*state)) return duckdb_init_set_error(info, error->c_str());
    duckdb_init_set_max_threads(info, state->source->threads_max());
    duckdb_init_set_init_data(info, state.release(), [](void* data) { delete static_cast<ScanState*>(data); });
}

void fill_row_numbers(duckdb_vector vector, const DuckDbRowSource::Slice& slice) {
    auto* numbers = static_cast<int64_t*>(duckdb_vector_get_data(vector));
    for (size_t row = 0; row < slice.length; ++row) numbers[row] = slice.row + static_cast<int64_t>(row);
}

void export_slice(const ScanState& state, const DuckDbRowSource::Slice& slice, ArrowArray& array) {
    const RecordBatch& batch = *slice.batch;
    std::vector<Field> fields;
    std::vector<Column> columns;
    for (const size_t i : state.wanted) {
        if (i >= batch.columns().size()) continue;
        fields.push_back((*batch.schema())[i]);
        columns.push_back(batch.column(i));
    }
    export_batch(RecordBatch(std::make_shared<const Schema>(std::move(fields)), std::move(columns), batch.rows()),
                 array);
    array.length = static_cast<int64_t>(slice.length);
    for (int64_t i = 0; i < array.n_children; ++i) {
        array.children[i]->offset = static_cast<int64_t>(slice.first);
        array.children[i]->length = array.length;
        if (array.children[i]->null_count != 0) array.children[i]->null_count = -1;
    }
}

void scan(duckdb_function_info info, duckdb_data_chunk out) {
    const auto& state = *static_cast<ScanState*>(duckdb_function_get_init_data(info));
    const auto next = state.source->next_slice();
    if (!next.ok()) return duckdb_function_set_error(info, next.error().message().c_str());
    const auto& slice = next.value();
    if (!slice) return duckdb_data_chunk_set_size(out, 0);
    ArrowArray array{};
    export_slice(state, *slice, array);
    duckdb_data_chunk chunk = nullptr;
    if (array.n_children > 0) {
        const auto error =
            take_error(duckdb_data_chunk_from_arrow(state.sources->connection(), &array, state.converted, &chunk));
        if (error) duckdb_function_set_error(info, error->c_str());
    }
    idx_t column = 0;
    for (idx_t i = 0; i < state.wanted.size(); ++i) {
        duckdb_vector to = duckdb_data_chunk_get_vector(out, i);
        if (state.wanted[i] == state.source->schema()->size()) {
            fill_row_numbers(to, *slice);
        } else if (state.wanted[i] < state.source->schema()->size() && chunk != nullptr) {
            duckdb_vector_reference_vector(to, duckdb_data_chunk_get_vector(chunk, column++));
        }
    }
    duckdb_data_chunk_set_size(out, slice->length);
    if (chunk != nullptr) duckdb_destroy_data_chunk(&chunk);
    if (array.release != nullptr) array.release(&array);
}

duckdb_table_function make_function(DuckDbRowSources* sources) {
    duckdb_table_function function = duckdb_create_table_function();
    duckdb_table_function_set_name(function, "shaduf_rows");
    duckdb_logical_type number = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    duckdb_table_function_add_parameter(function, number);
    duckdb_destroy_logical_type(&number);
    duckdb_table_function_set_extra_info(function, sources, nullptr);
    duckdb_table_function_set_bind(function, bind);
    duckdb_table_function_set_init(function, init);
    duckdb_table_function_set_function(function, scan);
    duckdb_table_function_supports_projection_pushdown(function, true);
    return function;
}

}  // namespace

DuckDbGivenRows::DuckDbGivenRows(SchemaPtr schema, std::span<const RecordBatch> rows, size_t threads_max)
    : DuckDbRowSource(std::move(schema), threads_max) {
    const size_t slice_rows = duckdb_vector_size();
    for (const auto& batch : rows) {
        const std::shared_ptr<const RecordBatch> borrowed(std::shared_ptr<void>(), &batch);
        for (size_t first = 0; first < batch.rows(); first += slice_rows) {
            const size_t length = std::min(slice_rows, batch.rows() - first);
            slices_.push_back({borrowed, first, length, row_count_});
            row_count_ += static_cast<int64_t>(length);
        }
    }
}

Result<std::optional<DuckDbRowSource::Slice>> DuckDbGivenRows::next_slice() {
    const size_t i = next_.fetch_add(1, std::memory_order_relaxed);
    return i < slices_.size() ? std::optional(slices_[i]) : std::nullopt;
}

DuckDbRowQueue::DuckDbRowQueue(SchemaPtr schema, const DuckDbAppendLimits& limits)
    : DuckDbRowSource(std::move(schema), limits.threads_max), bytes_max_(limits.bytes_max) {}

bool DuckDbRowQueue::push(RecordBatch rows) {
    const size_t bytes = rows.byte_size();
    auto batch = std::make_shared<const RecordBatch>(std::move(rows));
    std::unique_lock lock(mutex_);
    not_full_.wait(lock, [&] { return aborted_ || waiting_.empty() || bytes_ + bytes <= bytes_max_; });
    SHADUF_ASSERT(!closed_);
    if (aborted_) return false;
    if (batch->rows() == 0) return true;
    waiting_.push_back({std::move(batch), bytes});
    bytes_ += bytes;
    not_empty_.notify_all();
    return true;
}

void DuckDbRowQueue::close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    not_empty_.notify_all();
}

void DuckDbRowQueue::abort() {
    std::lock_guard lock(mutex_);
    aborted_ = true;
    not_full_.notify_all();
    not_empty_.notify_all();
}

Result<std::optional<DuckDbRowSource::Slice>> DuckDbRowQueue::next_slice() {
    std::unique_lock lock(mutex_);
    not_empty_.wait(lock, [&] { return aborted_ || closed_ || !waiting_.empty(); });
    if (aborted_) return Error(ErrorKind::canceled, "the load was stopped");
    if (waiting_.empty()) return std::optional<Slice>();
    const Waiting& front = waiting_.front();
    const Slice slice{front.batch, taken_, std::min<size_t>(duckdb_vector_size(), front.batch->rows() - taken_), row_};
    taken_ += slice.length;
    row_ += static_cast<int64_t>(slice.length);
    if (taken_ == slice.batch->rows()) {
        bytes_ -= front.bytes;
        waiting_.pop_front();
        taken_ = 0;
        not_full_.notify_one();
    }
    return std::optional(slice);
}

Result<std::unique_ptr<DuckDbRowSources>> DuckDbRowSources::create(duckdb_database database) {
    duckdb_connection connection = nullptr;
    if (duckdb_connect(database, &connection) != DuckDBSuccess) {
        return Error(ErrorKind::internal, "DuckDB gives no connection");
    }
    std::unique_ptr<DuckDbRowSources> sources(new DuckDbRowSources(connection));
    duckdb_table_function function = make_function(sources.get());
    const auto state = duckdb_register_table_function(connection, function);
    duckdb_destroy_table_function(&function);
    if (state != DuckDBSuccess) return Error(ErrorKind::internal, "DuckDB takes no table function");
    return sources;
}

DuckDbRowSources::~DuckDbRowSources() { duckdb_disconnect(&connection_); }

DuckDbRowSources::Registration DuckDbRowSources::add(DuckDbRowSource& source) {
    std::lock_guard lock(mutex_);
    sources_.emplace(next_id_, &source);
    return {*this, next_id_++};
}

DuckDbRowSource* DuckDbRowSources::find(int64_t id) {
    std::lock_guard lock(mutex_);
    const auto found = sources_.find(id);
    return found == sources_.end() ? nullptr : found->second;
}

DuckDbRowSources::Registration::~Registration() {
    std::lock_guard lock(sources_.mutex_);
    sources_.sources_.erase(id_);
}

std::string DuckDbRowSources::Registration::sql() const { return "shaduf_rows(" + std::to_string(id_) + ")"; }

}  // namespace shaduf
