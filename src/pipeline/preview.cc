#include "pipeline/preview.h"

#include <algorithm>

namespace shaduf {
namespace {

constexpr size_t kEmptyReadsMax = 1000;  // batches without a row, before a preview gives up

RecordBatch decode(const RawRows& rows, Shape& shape) {
    infer_shape(rows, rows.rows.size(), shape);
    return RowDecoder::create(rows.format, shape)->decode(rows).rows;
}

RecordBatch first_rows(const RecordBatch& batch, size_t count) {
    std::vector<uint32_t> rows;
    for (uint32_t row = 0; row < std::min(batch.rows(), count); ++row) rows.push_back(row);
    return batch.take(rows);
}

}  // namespace

Result<std::optional<RecordBatch>> read_first_rows(RunContext& run, Source& source, Shape& shape, size_t count) {
    TRY(source.open(run, std::nullopt));
    for (size_t reads = 0; reads < kEmptyReadsMax; ++reads) {
        auto batch = TRY(source.read(run));
        if (!batch) return std::nullopt;
        if (auto* raw = std::get_if<RawRows>(&batch->rows)) {
            if (raw->rows.empty()) continue;
            raw->rows.resize(std::min(raw->rows.size(), count));
            return std::optional(decode(*raw, shape));
        }
        const auto* encoded = std::get_if<std::shared_ptr<const EncodedRows>>(&batch->rows);
        const RecordBatch rows = encoded != nullptr ? (*encoded)->decode().rows : std::get<RecordBatch>(batch->rows);
        if (rows.rows() > 0) return std::optional(first_rows(rows, count));
    }
    return std::nullopt;
}

}  // namespace shaduf
