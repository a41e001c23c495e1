#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connectors/kafka/messages.h"

namespace shaduf::kafka {

// Builds Messages, one after the other; offsets count on from 40 in each partition, timestamps by 1500 ms.
class MessagesOf {
public:
    MessagesOf& in(std::string topic, int32_t partition) {
        messages_.stretches.push_back({messages_.values.size(), std::move(topic), partition});
        offset_ = 40;
        return *this;
    }
    MessagesOf& add(std::optional<std::string_view> value, std::optional<std::string_view> key = std::nullopt,
                    std::optional<std::string_view> headers = std::nullopt,
                    std::optional<std::string_view> value_schema = std::nullopt) {
        if (messages_.stretches.empty()) in("orders", 3);
        messages_.values.push_back(span(value));
        messages_.keys.push_back(span(key));
        messages_.headers.push_back(span(headers));
        messages_.value_schemas.push_back(span(value_schema));
        messages_.offsets.push_back(offset_++);
        messages_.timestamps_ms.push_back(1'767'323'045'000 + 1500 * static_cast<int64_t>(messages_.values.size() - 1));
        return *this;
    }
    MessagesPtr done() {
        messages_.bytes = bytes_.finish();
        return std::make_shared<const Messages>(std::move(messages_));
    }

private:
    Messages::Span span(std::optional<std::string_view> text) {
        if (!text) return {};
        const auto at = static_cast<uint32_t>(bytes_.size());
        bytes_.append(*text);
        return {at, static_cast<uint32_t>(text->size())};
    }

    Messages messages_;
    BufferBuilder bytes_;
    int64_t offset_ = 40;
};

}  // namespace shaduf::kafka
