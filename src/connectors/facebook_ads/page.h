#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/buffer.h"
#include "data/raw_rows.h"

namespace shaduf::facebook {

// Where a list goes on.
struct Paging {
    std::string after;      // the cursor behind the page's last record; "" when there is none
    bool has_next = false;  // the last page has a cursor too
};

// What follows a page of a list. `body` is readable for 16 bytes behind its end. Unavailable, to be asked for again,
// when it is no whole JSON document, or says that it is an error though it came as a list.
Result<Paging> read_paging(std::string_view body);

// The answer with `*` for every token and proof in its URLs (`next` has those of the call), so that it may be kept; the
// same object where it has none. Nothing moves.
BufferPtr without_tokens(const BufferPtr& body);

// The records of an answer: the elements of its list `data`, or the answer itself where it is one record. Unavailable
// when the answer is no whole JSON document, bad_data when it is no object or an element of its list is none.
Result<std::vector<RawRows::Span>> find_records(std::string_view body);

// One member of the answer itself, to the letter as it is written there ("185", "\"Job Running\""); nullopt when it has
// none, or the text is no JSON object.
std::optional<std::string_view> find_member(std::string_view body, std::string_view name);
// The same, a text without its escapes; numbers and truth values as they are written; "" when there is none, or null.
std::string find_text(std::string_view body, std::string_view name);

// The answers to a batch of calls, in the order of the calls; one that was not executed is nullopt.
struct BatchAnswer {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    BufferPtr body;  // padded
};
Result<std::vector<std::optional<BatchAnswer>>> read_batch(std::string_view body);

}  // namespace shaduf::facebook
