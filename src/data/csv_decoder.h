#pragma once

#include <memory>

#include "data/row_decoder.h"

namespace shaduf {

// The decoder of RawFormat::csv; use RowDecoder::create.
std::unique_ptr<RowDecoder> make_csv_decoder(const Shape& shape);

}  // namespace shaduf
