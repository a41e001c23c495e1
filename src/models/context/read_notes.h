#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace shaduf::models {

struct Node;

// What templates looked at while a project was parsed that is in none of its files, so that a later command knows
// whether it would find the same. Thread-safe.
class ReadNotes {
public:
    void note_variable(const std::string& name, const std::optional<std::string>& value);
    // Something that is another for each command: the time, an id, the flags. `node`: who asked; nullptr: nobody that
    // has a file of its own.
    void note_passing(const Node* node);

    std::map<std::string, std::optional<std::string>> variables() const;
    // Unique ids of nodes that are to be parsed by every command.
    std::set<std::string> restless() const;
    // False: what was parsed holds for this command alone.
    bool is_lasting() const;

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::optional<std::string>> variables_;
    std::set<std::string> restless_;
    bool is_lasting_ = true;
};

}  // namespace shaduf::models
