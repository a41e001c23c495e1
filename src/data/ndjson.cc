#include "data/ndjson.h"

#include <algorithm>
#include <cstring>

namespace shaduf {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_blank(const char* begin, const char* end) {
    while (begin < end && (*begin == ' ' || *begin == '\t' || *begin == '\r')) ++begin;
    return begin == end;
}

}  // namespace

NdjsonSplitter::NdjsonSplitter(std::string place, size_t row_bytes_max)
    : place_(std::move(place)), row_bytes_max_(row_bytes_max) {}

void NdjsonSplitter::resume_at(int64_t line, uint64_t offset) {
    line_ = line;
    offset_ = offset;
}

RawRows NdjsonSplitter::take() {
    const auto* data = reinterpret_cast<const char*>(input_.data());
    const void* last = nullptr;
    if (input_.size() > searched_) last = memrchr(data + searched_, '\n', input_.size() - searched_);
    if (last != nullptr) return cut(static_cast<size_t>(static_cast<const char*>(last) - data) + 1);
    if (input_.size() > row_bytes_max_) {  // it is rejected when its end is found; until then its beginning is enough
        const size_t kept = std::min(row_bytes_max_, kBrokenRowBytesKept);
        dropped_ += input_.size() - kept;
        input_.resize(kept);
    }
    searched_ = input_.size();
    return cut(0);
}

RawRows NdjsonSplitter::finish() { return cut(input_.size()); }

// The rows of the first `end` bytes, which are whole lines (or the last of the stream).
RawRows NdjsonSplitter::cut(size_t end) {
    RowCollector rows(RawFormat::json, place_, line_);
    BufferBuilder rest;
    if (end == 0) return rows.finish(rest.finish());
    rest.append(input_.data() + end, input_.size() - end);
    input_.resize(end);
    size_t begin = 0;
    BufferBuilder text = std::exchange(input_, std::move(rest));
    const auto* data = reinterpret_cast<const char*>(text.data());
    if (offset_ == 0 && std::string_view(data, end).substr(0, kByteOrderMark.size()) == kByteOrderMark) {
        begin = kByteOrderMark.size();
    }
    while (begin < end) {
        const auto* stop = static_cast<const char*>(std::memchr(data + begin, '\n', end - begin));
        const char* line_end = stop == nullptr ? data + end : stop;
        const char* text_end = line_end > data + begin && line_end[-1] == '\r' ? line_end - 1 : line_end;
        if (dropped_ > 0 || !is_blank(data + begin, text_end)) {
            const auto length = static_cast<size_t>(text_end - data) - begin;
            if (length > row_bytes_max_ || dropped_ > 0) {
                rows.add_broken(begin, length, line_, oversized_row_reason(row_bytes_max_));
            } else {
                rows.add(begin, length, line_);
            }
        }
        offset_ += std::exchange(dropped_, 0);
        if (stop != nullptr) ++line_;
        begin = static_cast<size_t>(line_end - data) + 1;
    }
    offset_ += end;
    searched_ = 0;
    return rows.finish(text.finish());
}

}  // namespace shaduf
