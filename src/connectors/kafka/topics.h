#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/kafka.h"

namespace shaduf::kafka {

// The partitions of topics that are wanted by name, or by patterns that begin with ^ (POSIX extended, as the library
// has them; never topics of the brokers' own, which begin with __). invalid_config: a name that is not there, a pattern
// that is none, nothing found at all.
Result<std::vector<TopicPartition>> find_partitions(const std::vector<KafkaConsumer::TopicInfo>& topics,
                                                    const std::vector<std::string>& wanted);
bool is_pattern(const std::string& topic);
// A pattern of the topic alone: a name that is not there is an error to the brokers, what a pattern means may come.
std::string pattern_of(const std::string& topic);

}  // namespace shaduf::kafka
