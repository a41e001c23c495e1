#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "connectors/connector.h"
#include "connectors/parts/checkpoint_parts.h"
#include "tests/connectors/conformance_suite.h"
#include "tests/io/kafka_cluster.h"
#include "tests/world.h"

namespace shaduf {

inline const ConnectorSpec& kafka_spec() {
    static const auto connectors = builtin_connectors();
    return *connectors.find("kafka");
}

// A connection to the cluster, whose groups settle within some seconds: the mock lets members wait for 3 seconds at
// first, and for a second less than their session afterwards.
inline std::string kafka_connection(const KafkaCluster& cluster, const std::string& more = "") {
    return "brokers: \"" + cluster.brokers() +
           "\"\nproperties: {session.timeout.ms: 4000, heartbeat.interval.ms: 100, reconnect.backoff.ms: 20, "
           "reconnect.backoff.max.ms: 50}\n" +
           more;
}

inline Result<std::unique_ptr<Source>> kafka_source(const std::string& connection, const std::string& stream_options,
                                                    ReadMode mode, const std::string& stream = "orders") {
    Options options;
    for (const Error& error : read_fields(kafka_spec().fields, connection, options)) return error;
    StreamRequest request{"bus", stream, mode, {}};
    request.pipeline = "shop";
    for (const Error& error : read_fields(kafka_spec().stream_fields, stream_options, request.options)) return error;
    return kafka_spec().make_source(options, request);
}

// The value, or the test has failed with the error.
template <typename T>
T must(Result<T> result) {
    if (!result.ok()) throw std::runtime_error(result.error().to_string());
    return result.release_value();
}

inline std::vector<std::string> texts_of(const ReadBatch& batch) {
    std::vector<std::string> texts;
    const auto& raw = std::get<RawRows>(batch.rows);
    for (size_t i = 0; i < raw.rows.size(); ++i) texts.emplace_back(raw.row(i));
    return texts;
}

}  // namespace shaduf
