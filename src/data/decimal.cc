#include "data/decimal.h"

#include "base/assert.h"
#include "data/builder.h"

namespace shaduf {

bool converts_by_value(const DataType& from, const DataType& to) {
    const bool is_exact = from.kind() == TypeKind::int64 || from.kind() == TypeKind::decimal;
    return is_exact && to.kind() == TypeKind::decimal && from.scale() <= to.scale();
}

CheckedDecimals to_decimals(const Column& column, const DataType& to) {
    SHADUF_ASSERT(converts_by_value(column.type, to));
    const int more_digits = to.scale() - column.type.scale();
    const bool is_integer = column.type.kind() == TypeKind::int64;
    ColumnBuilder builder(to);
    builder.reserve(column.length, 0);
    CheckedDecimals checked;
    for (size_t row = 0; row < column.length; ++row) {
        if (column.is_null(row)) {
            builder.append_null();
            continue;
        }
        const int128 value = is_integer ? int128{column.int64_at(row)} : column.decimal_at(row);
        if (has_digits(value, to.precision() - more_digits)) {
            builder.append_decimal(value * power_of_ten(more_digits));
        } else {
            builder.append_null();
            checked.misfits.push_back(static_cast<uint32_t>(row));
        }
    }
    checked.column = builder.finish();
    return checked;
}

}  // namespace shaduf
