#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"

// Inside src/io: what librdkafka and the brokers say, as errors.
namespace shaduf {

// `code` is a rd_kafka_resp_err_t. `what` could not be done ("cannot read topic orders"); `detail` is librdkafka's own
// text, "" for that of the code. What may be done is added.
Error kafka_error(int code, std::string_view what, std::string_view detail = {});
ErrorKind kafka_error_kind(int code);
// Of the library's "... (after 310ms in state AUTH_REQ)" what does not tell when.
std::string_view kafka_reason(std::string_view reason);
// Of what the library tells while it connects (its error callback): an error of kind auth when that will not pass by
// itself. That includes what brokers only show by ending the connection, as TLS does with a client's certificate.
std::optional<Error> kafka_refusal(int code, std::string_view reason);

}  // namespace shaduf
