#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace shaduf::kafka {

// What stands in front of a payload whose schema is in a registry (Confluent's wire format): 0x00 and the id in four
// bytes, the highest first, or 0x01 and a GUID of sixteen. "" when it is neither.
inline std::string_view frame_of(std::string_view payload) {
    if (payload.size() >= 5 && payload[0] == '\0') return payload.substr(0, 5);
    if (payload.size() >= 17 && payload[0] == '\1') return payload.substr(0, 17);
    return {};
}

// REQUIRES: a frame that begins with 0x00
int32_t id_of_frame(std::string_view frame);
// "89791762-2336-4186-9674-299b90a802e2". REQUIRES: a frame that begins with 0x01
std::string guid_of_frame(std::string_view frame);
std::string frame_of_id(int32_t id);

}  // namespace shaduf::kafka
