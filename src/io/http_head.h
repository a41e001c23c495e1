#pragma once

#include <string_view>

namespace shaduf {

inline constexpr int kHeadersMax = 200;

// What is wrong with the head of a request, from its first line to the empty one: a status (400, 431, 501 or 505), or
// 0 when nothing is. Strict where two readers might find different requests in the same bytes (RFC 9112, section 11.2):
// of lengths and transfer codings there is at most one, lines end by CRLF, names end at their colon, nothing is folded.
int check_request_head(std::string_view head);

}  // namespace shaduf
