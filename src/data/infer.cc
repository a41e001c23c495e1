#include <algorithm>

#include "data/row_decoder.h"

namespace shaduf {

namespace {

// A second look finds what the first could not tell: an empty object where others have numbers.
constexpr int kPassesMax = 3;

}  // namespace

// What the sample asks for beyond the shape is just what a decoder reports as drift: a new column's type is the widened
// one of all its values, where a string that is a date or a timestamp asks for that.
void infer_shape(const RawRows& rows, size_t rows_max, Shape& shape) {
    RawRows sample = rows;
    sample.rows.resize(std::min(rows_max, sample.rows.size()));
    for (int pass = 0; pass < kPassesMax; ++pass) {
        Shape probe = shape;
        probe.on_drift = OnDrift::report;
        const auto drift = RowDecoder::create(rows.format, probe)->decode(sample).drift;
        if (drift.empty()) return;
        apply_drift(drift, shape);
    }
}

}  // namespace shaduf
