#include "data/row_decoder.h"

#include "data/csv_decoder.h"
#include "data/json_decoder.h"

namespace shaduf {

std::unique_ptr<RowDecoder> RowDecoder::create(RawFormat format, const Shape& shape) {
    return format == RawFormat::csv ? make_csv_decoder(shape) : make_json_decoder(shape);
}

}  // namespace shaduf
