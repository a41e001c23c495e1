#pragma once

#include <string>
#include <vector>

#include "models/command/console.h"
#include "models/command/loaded_tables.h"

namespace shaduf {

class Session;

// Whether the folder of the process is a project of models.
bool has_models();

// What became of the models, snapshots, seeds and tests that ran behind the loads.
struct ModelsRun {
    int status = 0;
    std::vector<models::NodeOutcome> outcomes;
    std::vector<std::string> held_back;  // unique ids of what read a table that was not loaded
    size_t done() const;
};

// Builds the models of the entered folder behind the loads of `tables`; what reads one that was not loaded does not
// run, nor what reads one of `others` ("schema.table") that is not there yet.
ModelsRun run_models_after(Session& session, const std::vector<models::LoadedTable>& tables,
                           const std::vector<std::string>& others, models::Readers readers, models::Console& console,
                           bool is_quiet);

}  // namespace shaduf
