#include "connectors/kafka/messages.h"

#include <algorithm>
#include <iterator>

namespace shaduf::kafka {

size_t Messages::byte_size() const {
    const size_t spans =
        values.size() + keys.size() + headers.size() + value_schemas.size() + key_schemas.size() + marks.size();
    const size_t numbers = offsets.size() + timestamps_ms.size();
    return (bytes == nullptr ? 0 : bytes->size()) + spans * sizeof(Span) + numbers * sizeof(int64_t);
}

const Messages::Stretch& Messages::stretch_of(size_t row) const {
    const auto behind = std::upper_bound(stretches.begin(), stretches.end(), row,
                                         [](size_t wanted, const Stretch& stretch) { return wanted < stretch.row; });
    return *std::prev(behind);
}

std::string Messages::position(size_t row) const {
    const Stretch& stretch = stretch_of(row);
    return stretch.topic + "/" + std::to_string(stretch.partition) + ":" + std::to_string(offsets[row]);
}

}  // namespace shaduf::kafka
