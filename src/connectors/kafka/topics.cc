#include "connectors/kafka/topics.h"

#include <regex.h>

#include <algorithm>
#include <set>

#include "base/text.h"

namespace shaduf::kafka {
namespace {

class Pattern {
public:
    explicit Pattern(const std::string& text) : is_valid_(::regcomp(&compiled_, text.c_str(), kFlags) == 0) {}
    ~Pattern() {
        if (is_valid_) ::regfree(&compiled_);
    }
    Pattern(const Pattern&) = delete;
    Pattern& operator=(const Pattern&) = delete;

    bool is_valid() const { return is_valid_; }
    bool matches(const std::string& name) const { return ::regexec(&compiled_, name.c_str(), 0, nullptr, 0) == 0; }

private:
    static constexpr int kFlags = REG_EXTENDED | REG_NOSUB;
    ::regex_t compiled_{};
    const bool is_valid_;
};

}  // namespace

bool is_pattern(const std::string& topic) { return topic.starts_with('^'); }

std::string pattern_of(const std::string& topic) {
    if (is_pattern(topic)) return topic;
    std::string pattern = "^";
    for (const char c : topic) {
        if (c == '.') pattern += '\\';  // of the characters that names may have, the only one with a meaning
        pattern += c;
    }
    return pattern + "$";
}

Result<std::vector<TopicPartition>> find_partitions(const std::vector<KafkaConsumer::TopicInfo>& topics,
                                                    const std::vector<std::string>& wanted) {
    std::vector<std::string> names;
    for (const auto& topic : topics) names.push_back(topic.name);
    std::set<TopicPartition> found;
    for (const std::string& want : wanted) {
        const Pattern pattern(is_pattern(want) ? want : "^$");
        if (!pattern.is_valid()) {
            return Error(ErrorKind::invalid_config,
                         "pattern of topics is none: " + want + "; write it as a POSIX extended expression");
        }
        if (!is_pattern(want) && std::find(names.begin(), names.end(), want) == names.end()) {
            return Error(ErrorKind::invalid_config, "topic not found: " + want + did_you_mean(want, names));
        }
        for (const auto& topic : topics) {
            const bool is_meant =
                is_pattern(want) ? !topic.name.starts_with("__") && pattern.matches(topic.name) : topic.name == want;
            for (int32_t i = 0; is_meant && i < topic.partitions; ++i) found.insert({topic.name, i});
        }
    }
    if (found.empty()) {
        return Error(ErrorKind::invalid_config,
                     "no topic matches: " + join(wanted, ", ") + "; create one, or change the pattern");
    }
    return std::vector<TopicPartition>(found.begin(), found.end());
}

}  // namespace shaduf::kafka
