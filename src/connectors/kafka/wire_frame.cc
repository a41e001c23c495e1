#include "connectors/kafka/wire_frame.h"

#include "base/assert.h"
#include "data/uuid.h"

namespace shaduf::kafka {

int32_t id_of_frame(std::string_view frame) {
    SHADUF_ASSERT(frame.size() == 5);
    uint32_t id = 0;
    for (const char byte : frame.substr(1)) id = id << 8 | static_cast<uint8_t>(byte);
    return static_cast<int32_t>(id);
}

std::string guid_of_frame(std::string_view frame) {
    SHADUF_ASSERT(frame.size() == 1 + kUuidBytes);
    std::string text;
    append_uuid_text(frame.substr(1), text);
    return text;
}

std::string frame_of_id(int32_t id) {
    const auto bits = static_cast<uint32_t>(id);
    std::string frame(1, '\0');
    for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>(bits >> shift & 0xFF);
    return frame;
}

}  // namespace shaduf::kafka
