#pragma once

#include <string_view>

#include "base/error.h"

// Inside src/io: what librdkafka and the brokers say, as errors.
namespace shaduf {

// `code` is a rd_kafka_resp_err_t. `what` could not be done ("cannot read topic orders"); `detail` is librdkafka's own
// text, "" for that of the code. What may be done is added.
Error kafka_error(int code, std::string_view what, std::string_view detail = {});
ErrorKind kafka_error_kind(int code);

}  // namespace shaduf
