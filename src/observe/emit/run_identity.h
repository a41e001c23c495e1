#pragma once

#include <string>
#include <string_view>

namespace shaduf::observe {

// Ids for those who want them in a form of their own: the same for the same thing, at each telling and in each process.
std::string uuid_of(std::string_view what);      // as RFC 9562 has them, version 8
std::string trace_id_of(std::string_view what);  // 32 hex digits
std::string span_id_of(std::string_view what);   // 16 hex digits

}  // namespace shaduf::observe
