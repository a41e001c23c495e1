#include "models/context/read_notes.h"

#include "models/manifest.h"

namespace shaduf::models {

void ReadNotes::note_variable(const std::string& name, const std::optional<std::string>& value) {
    const std::lock_guard lock(mutex_);
    variables_.emplace(name, value);
}

void ReadNotes::note_passing(const Node* node) {
    const std::lock_guard lock(mutex_);
    if (node != nullptr && !node->test && !node->unique_id.empty())
        restless_.insert(node->unique_id);
    else
        is_lasting_ = false;
}

std::map<std::string, std::optional<std::string>> ReadNotes::variables() const {
    const std::lock_guard lock(mutex_);
    return variables_;
}

std::set<std::string> ReadNotes::restless() const {
    const std::lock_guard lock(mutex_);
    return restless_;
}

bool ReadNotes::is_lasting() const {
    const std::lock_guard lock(mutex_);
    return is_lasting_;
}

}  // namespace shaduf::models
