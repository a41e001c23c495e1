#include "connectors/singer/import.h"

#include <algorithm>

#include "base/text.h"
#include "connectors/singer/catalog.h"
#include "connectors/singer/protocol.h"
#include "data/json_member.h"

namespace shaduf::singer {
namespace {

// The value of a state: a whole STATE message, and what Meltano keeps, hold it one deeper.
std::string value_in(std::string_view state) {
    for (const char* around : {"singer_state", "completed"}) {
        if (auto inner = raw_member(state, around)) return value_in(*inner);
    }
    if (raw_member(state, "type") == "\"STATE\"") return raw_member(state, "value").value_or("{}");
    return std::string(trim(state));
}

}  // namespace

Result<std::vector<ImportedStream>> import_streams(std::string_view catalog_text, std::string_view state_text) {
    const Catalog catalog = TRY(Catalog::parse(catalog_text, "the file"));
    const std::string state = value_in(state_text);
    if (!state.empty() && (!state.starts_with('{') || !nlohmann::json::accept(state))) {
        return Error(ErrorKind::bad_data, "state is no JSON object; give the value that the tap takes with --state");
    }
    const auto infos = catalog.streams();
    const auto choices = catalog.choices();
    const bool any_selected = std::any_of(choices.begin(), choices.end(), [](const auto& one) { return one.selected; });
    std::vector<ImportedStream> imported;
    for (size_t i = 0; i < infos.size(); ++i) {
        if (any_selected && !choices[i].selected) continue;
        const StreamInfo& info = infos[i];
        const std::string& method = choices[i].method;
        const bool incremental = method.empty() ? info.modes.size() > 1 : method != "FULL_TABLE";
        ImportedStream stream;
        stream.name = info.name;
        if (incremental) {
            stream.read = ReadMode::incremental;
            stream.write = info.key.empty() ? WriteMode::append : WriteMode::merge;
            stream.key = info.key;
            stream.cursor_field = info.cursor_field;
            if (!state.empty()) stream.checkpoint = Checkpoint(position_of(state));
            if (method == "LOG_BASED") stream.note = "deletions that the tap marks in a column are not carried out";
            if (info.key.empty()) stream.note = "has no key: its rows are appended";
        }
        imported.push_back(std::move(stream));
    }
    return imported;
}

}  // namespace shaduf::singer
