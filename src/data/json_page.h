#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/buffer.h"
#include "data/raw_rows.h"

namespace shaduf {

// Where a value stands in a JSON document: "data.items", "data.*.rows", "results.0". A "*" is every element of a list
// or every value of an object. Also "data[*].rows" and "[0].id". Empty: the document itself.
using JsonPath = std::vector<std::string>;
JsonPath parse_json_path(std::string_view text);

// The text of a scalar, unescaped, as it goes into a URL; `raw` as it is written in JSON.
struct JsonScalar {
    std::string text;
    std::string raw;
};

// Reads one value out of a document that stands in a padded buffer (kPadding bytes readable behind it). nullopt when
// there is none there, or null, or it is a list or object.
std::optional<JsonScalar> find_scalar(std::string_view json, const JsonPath& path);

// One answer, checked as far as finding its records needs it: a record is checked in itself only when it is decoded, so
// that a broken one goes to quarantine alone. Not thread-safe.
class JsonPage {
public:
    // `what` names the request in errors. Errors of kind bad_data for what is no JSON, with the byte; unavailable, to
    // be retried, for what ends before its JSON does.
    static Result<JsonPage> parse(BufferPtr body, std::string what);
    JsonPage(JsonPage&&) noexcept;
    JsonPage& operator=(JsonPage&&) noexcept;
    ~JsonPage();

    // The elements of the list at `path`, or the one object there. bad_data when nothing is there.
    Result<std::vector<RawRows::Span>> records(const JsonPath& path) const;
    bool has(const JsonPath& path) const;
    std::optional<JsonScalar> scalar(const JsonPath& path) const { return find_scalar(text(), path); }
    const BufferPtr& body() const { return body_; }

private:
    struct Parser;
    JsonPage(BufferPtr body, std::string what);
    std::string_view text() const { return body_->view().substr(start_, length_); }

    BufferPtr body_;
    std::string what_;
    size_t start_ = 0;   // behind a byte order mark
    size_t length_ = 0;  // of the document
    std::unique_ptr<Parser> parser_;
};

// The lines of newline-delimited JSON, blank ones left out.
Result<std::vector<RawRows::Span>> split_lines(const Buffer& body, const std::string& what);

}  // namespace shaduf
