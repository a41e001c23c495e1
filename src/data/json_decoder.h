#pragma once

#include <memory>

#include "data/row_decoder.h"

namespace shaduf {

// The decoder of RawFormat::json; use RowDecoder::create.
std::unique_ptr<RowDecoder> make_json_decoder(const Shape& shape);

}  // namespace shaduf
